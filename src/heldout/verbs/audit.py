"""``heldout.audit``: everything that can be read from trained networks, with what could not be and why."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from numbers import Integral, Real

from heldout._version import __version__
from heldout.catalog import Unit, units
from heldout.engine.evidence.reading_units import read_measure, read_profile
from heldout.engine.evidence.resolving import Evidence, expected_passes
from heldout.engine.evidence.resolving import thorough as is_thorough
from heldout.engine.subject import Subject
from heldout.records import Refusal
from heldout.verbs.certificates import certificates_of
from heldout.verbs.contrasts import contrasts
from heldout.verbs.placed import placed
from heldout.verbs.record import Audit
from heldout.verbs.verdict import verdict
from heldout.verbs.work import Work

#: Called after every unit with its name and the share of the expected work that is done.
Progress = Callable[[str, float], None]


def audit(
    subject: Subject,
    *,
    seed: int = 0,
    delta: float = 0.05,
    only: Sequence[str] = (),
    thorough: bool = False,
    progress: Progress | bool = True,
    store: str = "",
) -> Audit:
    """Measure, certify and sum up: one call, every reading of the catalog, shared evidence.

    Refused: what is no subject, names that are no measures, seeds below 0 or above 2^63 - 1, a delta outside (0, 1).

    Args:
        subject: Networks, data, loss.
        seed: Every random stream derives from it; the same seed gives the same numbers, alone or in a population.
        delta: Failure probability of each certificate.
        only: Names of the readings to compute; empty for all.
        thorough: Also what is dear: second derivatives, searches for the worst case, trained subspaces.
        progress: True shows a bar with an estimate on a terminal or in a notebook; False is silent; a callable is told.
        store: A directory or fsspec URL. The audit is kept there, and so is every reading as soon as it is made: killed and
            started again with the same subject, seed and settings, it goes on where it was.

    Returns:
        The audit.
    """
    require_subject(subject)
    seed, delta = (
        whole_seed(seed),
        share_of_delta(delta),
    )  # plain numbers, as the record holds them, whatever type they came in
    start = time.perf_counter()
    measures, profiles = chosen(only, thorough=thorough)
    work = Work.under_way(store, subject, (seed, delta, tuple(only), thorough, __version__))
    evidence = Evidence(subject, seed=seed, spent_before=work.spent)
    tell, finish = _teller(progress)
    readings = dict(work.finished)
    ordered = sorted((unit for unit in measures.values() if unit.name not in readings), key=_weight)
    total, done = sum(map(_weight, ordered)), 0.0
    try:
        for unit in ordered:
            readings[unit.name] = read_measure(unit, evidence)
            work.keep(readings[unit.name], evidence.spent)
            done += _weight(unit)
            tell(unit.name, done / total)
        tables = {name: read_profile(unit, evidence) for name, unit in profiles.items()}
        certificates = [] if only else certificates_of(evidence, delta=delta)
    finally:
        finish()
    inorder = {name: readings[name] for name in measures}
    result = Audit(
        subject=subject.summary(),
        verdict=verdict(subject, inorder, certificates, delta),
        readings=inorder,
        profiles=tables,
        certificates=certificates,
        contrasts=contrasts(inorder, subject.groups),
        seed=seed,
        passes=evidence.spent,
        seconds=time.perf_counter() - start,
        atlas={} if only else placed(subject, inorder).to_dict(),
    )
    return replace(result, run=work.close(result.to_dict()))


def chosen(only: Sequence[str], *, thorough: bool = False) -> tuple[dict[str, Unit], dict[str, Unit]]:
    """The measures and profiles to compute.

    Args:
        only: Names; empty for all.
        thorough: Also those that rest on dear evidence; what is named is computed in any case.

    Returns:
        Measures by name, profiles by name (none where ``only`` is given).

    Raises:
        Refusal: If it is one word rather than a list, or a name is not a measure.
    """
    if isinstance(only, str):
        raise Refusal(given=f"only was the word '{only}'", expected="a list of names", do=f"pass only=['{only}']")
    measures = dict(units("measure"))
    strangers = [name for name in only if name not in measures]
    if strangers:
        raise Refusal(
            given=f"only named {', '.join(map(repr, strangers))}",
            expected="names of measures",
            do="see them with 'heldout list'",
        )
    if only:
        return {name: measures[name] for name in only}, {}
    wanted = [
        {name: unit for name, unit in units(kind).items() if thorough or not is_thorough(unit.needs)}
        for kind in ("measure", "profile")
    ]
    return wanted[0], wanted[1]


def require_subject(subject: object) -> None:
    """Refuse what is no subject: people pass the network itself.

    Args:
        subject: What was given.

    Raises:
        Refusal: If it is something else.
    """
    if not isinstance(subject, Subject):
        raise Refusal(
            given=f"subject was a {type(subject).__name__}",
            expected="a heldout.Subject",
            do="pass heldout.Subject(network, train=(x, y))",
        )


def whole_seed(seed: object) -> int:
    """A seed that was given as any kind of whole number.

    Args:
        seed: What was given.

    Returns:
        The plain number.

    Raises:
        Refusal: If it is none, or out of range.
    """
    if not isinstance(seed, Integral) or not 0 <= int(seed) < 2**63:
        raise Refusal(given=f"seed was {seed!r}", expected="a whole number from 0 to 2^63 - 1", do="pass seed=0")
    return int(seed)


def share_of_delta(delta: object) -> float:
    """A failure probability that was given as any kind of number.

    Args:
        delta: What was given.

    Returns:
        The plain number.

    Raises:
        Refusal: If it is not strictly between 0 and 1.
    """
    if not isinstance(delta, Real) or not 0 < float(delta) < 1:
        raise Refusal(given=f"delta was {delta!r}", expected="a number strictly between 0 and 1", do="pass delta=0.05")
    return float(delta)


def _weight(unit: Unit) -> float:
    """Expected work of a unit in forward sweeps; a small constant stands for what is not a sweep."""
    passes = expected_passes(unit.needs)
    return passes.forward + 2 * passes.backward + 0.1


def _teller(progress: Progress | bool) -> tuple[Progress, Callable[[], None]]:
    if callable(progress):
        return progress, lambda: None
    if not progress:
        return lambda _name, _share: None, lambda: None
    from rich.progress import BarColumn, Progress as Bar, TextColumn, TimeRemainingColumn  # noqa: I001

    bar = Bar(
        TextColumn("auditing"), BarColumn(), TextColumn("{task.description}"), TimeRemainingColumn(), transient=True
    )
    task = bar.add_task("", total=1.0)
    bar.start()
    return lambda name, share: bar.update(task, completed=share, description=name), bar.stop
