"""``heldout.certify``: every family of bounds on one subject, each certificate with what it spent."""

import time
from collections.abc import Callable, Sequence

from heldout.catalog import units
from heldout.engine.evidence.resolving import Evidence
from heldout.engine.subject import Subject
from heldout.engine.training import Recipe
from heldout.records import Certificate, NotApplicable, Refusal, Status
from heldout.verbs.audit import require_subject, share_of_delta, whole_seed
from heldout.verbs.certificates import bounds_of, issued
from heldout.verbs.certified import Certificates

#: Called before every bound with its name and the share of them that is done.
Progress = Callable[[str, float], None]


def certify(
    subject: Subject,
    *,
    delta: float = 0.05,
    families: str | Sequence[str] = "all",
    seed: int = 0,
    recipe: Recipe | None = None,
    progress: Progress | None = None,
) -> Certificates:
    """Issue every certificate that this subject can have, with the reason for those it cannot.

    Refused: what is no subject, families that do not exist, seeds below 0 or above 2^63 - 1, a delta outside (0, 1).

    Args:
        subject: Networks, training data, held-out data as ``test``, loss; the untrained networks as ``initial`` for the families
            that train surrogates from them.
        delta: Failure probability of each certificate on its own.
        families: Names of families, or ``"all"``.
        seed: Every random stream derives from it.
        recipe: How surrogates are trained, for the families that train them; a short one by Adam unless given.
        progress: Called before every bound.

    Returns:
        The certificates; ``.best()`` is the tightest of them with the choice paid for.
    """
    require_subject(subject)
    seed, delta = whole_seed(seed), share_of_delta(delta)
    bounds, started = bounds_of(families_named(families)), time.perf_counter()
    evidence = Evidence(subject, seed=seed, recipe=recipe)
    alone: list[Certificate] = []
    absent: dict[str, str] = {}
    for number, unit in enumerate(bounds):
        if progress:
            progress(unit.name, number / len(bounds))
        try:
            alone += issued(unit, evidence, delta)
        except NotApplicable as reason:
            absent[unit.name] = str(reason)
    choosable = {one.name for one in alone if one.status in (Status.VALID, Status.VACUOUS)}
    looks = max(1, sum(one.name in choosable for one in alone))
    together = [one for unit in bounds if unit.name in choosable for one in issued(unit, evidence, delta, looks=looks)]
    return Certificates(
        subject=subject.summary(), certificates=alone, together=together, absent=absent, seed=seed, delta=delta,
        seconds=time.perf_counter() - started,
    )  # fmt: skip


def families_named(families: str | Sequence[str]) -> list[str]:
    """The families that are meant.

    Args:
        families: ``"all"``, one name, or several.

    Returns:
        Their names; empty for all.

    Raises:
        Refusal: If one does not exist.
    """
    named = [families] if isinstance(families, str) else list(families)
    if named == ["all"]:
        return []
    known = list(dict.fromkeys(unit.family for unit in units("bound").values()))
    strangers = [name for name in named if name not in known]
    if strangers or not named:
        raise Refusal(
            given=f"families were {', '.join(map(repr, named)) or 'none'}",
            expected=f"'all' or some of {', '.join(known)}",
            do="correct the names",
        )
    return named
