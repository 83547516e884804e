"""``heldout judge``: which measures predict, by every published criterion, each with its null, its interval and its ceiling."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from heldout.catalog import Unit, units
from heldout.engine.judging.controls import ceiling, controls
from heldout.engine.judging.ledger import BASELINES, Ledger
from heldout.records import Refusal
from heldout.verbs.judgement import Judgement, Score, Verdict
from heldout.verbs.judging_sources import Source, ledger_of
from heldout.verbs.ledger_claims import claims_of
from heldout.verbs.own_measures import Own
from heldout.verbs.scoring import number, scored
from heldout.verbs.standing import verdicts_of, worded

if TYPE_CHECKING:
    from torch import nn

    from heldout.verbs.population_ledger import Progress


def judge(
    source: Source,
    *,
    target: str = "gap",
    criteria: Sequence[str] = (),
    measures: Sequence[Own] = (),
    thorough: bool = False,
    claims: bool = False,
    network: "Callable[..., nn.Module] | str" = "",
    train: Any = None,
    test: Any = None,
    shift: Any = None,
    seed: int = 0,
    progress: "Progress | None" = None,
) -> Judgement:
    """Say which measures predict how networks do on data they have not seen.

    Every measure is scored by every criterion, each with what chance gives, an interval over configurations and the score that the
    exact target itself would reach; control rows stand beside them. Measures are turned so that larger promises more error; one whose
    direction nobody declared is judged as if that were so, and its verdict then speaks of either sign.

    Args:
        source: A table (path or data frame) with one row a network; a :class:`Ledger`; a sweep or the store of one, whose networks
            are then measured; or the name of a table that ships with heldout, such as ``"atlas"``.
        target: ``gap``, ``accuracy``, ``loss`` or ``shift-accuracy``.
        criteria: Names; all of the catalog's unless given.
        measures: Of the user's own, functions or ``module:function``; they need networks.
        thorough: Whether dear measures are computed too, of a population.
        claims: Whether claims of the literature are held against the ledger.
        network: Factory of a stored sweep's networks, where the store does not know it.
        train: Its training data, where the store did not keep them.
        test: Its test data, likewise.
        shift: Data from elsewhere, for ``shift-accuracy``.
        seed: Of permutations, resamples, control rows and stochastic measures.
        progress: Told the name of what was done and the share of the work that is.

    Returns:
        Scores and verdicts.

    Raises:
        Refusal: If a criterion does not exist, no hyper-parameter varies, or the source lacks something.
    """
    known = units("criterion")
    if strangers := [name for name in criteria if name not in known]:
        raise Refusal(
            given=f"the criterion '{strangers[0]}'", expected=f"some of {', '.join(known)}", do="correct the name"
        )
    ledger, kept = ledger_of(
        source, target=target, own=measures, thorough=thorough, network=network, train=train, test=test, shift=shift, seed=seed,
        progress=progress,
    )  # fmt: skip
    if not ledger.design.axes:
        raise Refusal(
            given=f"the ledger '{ledger.name}' has no hyper-parameter that varies",
            expected="at least one column hp.<name> with two values",
            do="add networks that differ in one",
        )
    extra = controls(ledger.errors, ledger.design, seed)
    whole = replace(ledger, measures={**ledger.measures, **extra})
    asked = [unit for unit in known.values() if not criteria or unit.name in criteria]
    scores, verdicts = _judged(whole, asked, set(extra), seed)
    best = number(ceiling(ledger.errors, ledger.noise, seed))
    order = {name: place for place, name in enumerate(whole.measures)}
    judged = {verdict.measure for verdict in verdicts}
    lost = {name: "fewer than two networks have a value" for name in whole.measures if name not in judged}
    return Judgement(
        ledger=ledger.name,
        target=ledger.target,
        networks=ledger.design.networks,
        axes=ledger.design.axes,
        ceiling=best,
        scores=sorted(scores, key=lambda score: order[score.measure]),
        verdicts=sorted(worded(verdicts, best), key=lambda verdict: order[verdict.measure]),
        absent={**lost, **ledger.absent},
        notes=_notes(ledger),
        seed=seed,
        claims=tuple(claims_of(ledger, seed=seed)) if claims else (),
        kept=kept,
    )


def _judged(whole: Ledger, asked: list[Unit], extra: set[str], seed: int) -> tuple[list[Score], list[Verdict]]:
    scores: list[Score] = []
    verdicts: list[Verdict] = []
    for part in whole.complete():
        if not part.design.axes:  # the networks that have these measures are of one configuration
            continue
        for unit in asked:
            scores += scored(unit, part, seed)
        verdicts += verdicts_of(part, extra, seed)
    return scores, verdicts


def _notes(ledger: Ledger) -> tuple[str, ...]:
    """What the table lacks, and what that costs."""
    found = []
    if missing := [name for name in BASELINES if name not in ledger.measures]:
        columns = " and ".join(f"measure.{name}" for name in missing)
        found.append(f"no column {columns}: baselines that every measure should beat are missing")
    if ledger.noise == 0:
        found.append("no test_size: targets are taken as exact, and ceilings are those of exact targets")
    elif ledger.noise != ledger.noise:
        found.append("the noise of a measured loss is not known from its test_size: there are no ceilings")
    if len(set(ledger.design.configurations.tolist())) == ledger.design.networks:
        found.append("one seed a configuration: what a measure says beyond the design cannot be told")
    return tuple(found)
