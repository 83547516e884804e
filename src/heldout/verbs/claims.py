"""The verdict on a claim: reproduced, not reproduced, or underpowered."""

from collections.abc import Sequence
from math import isfinite
from typing import Any, Literal

import pandas as pd

from heldout.catalog.studies import Claim, Statistic
from heldout.engine.numerics.seed_intervals import mean_over_seeds

Verdict = Literal["reproduced", "not reproduced", "underpowered"]
Side = Literal["shown", "not shown", "open"]


def judged(claim: Claim, table: pd.DataFrame) -> dict[str, Any]:
    """Hold a claim against a study's table.

    The interval of the mean over seeds (Student, 95 %) must lie wholly on the claim's side of the bar, and the control's wholly
    on the other; an exact claim has no interval. Whatever touches the bar is underpowered: more seeds would say.

    Args:
        claim: The sentence, its statistic and bar.
        table: All cells of the study.

    Returns:
        claim, source, statistic (in words), value, low, high, bar, above, seeds, verdict, reason, and the control's value, low
        and high where there is one.
    """
    value, low, high, seeds = _measured(claim.statistic, table, claim.exact)
    effect = _side(low, high, claim)
    row = {
        "claim": claim.sentence, "source": claim.source, "statistic": said(claim.statistic),
        "value": value, "low": low, "high": high, "bar": claim.bar, "above": claim.above, "seeds": seeds,
    }  # fmt: skip
    control: Side = "not shown"
    if claim.control is not None:
        centre, least, most, _ = _measured(claim.control, table, claim.exact)
        row |= {"control": centre, "control_low": least, "control_high": most}
        control = _side(least, most, claim)
    verdict, reason = _verdict(effect, control, seeds, claim)
    return {**row, "verdict": verdict, "reason": reason}


def said(statistic: Statistic) -> str:
    """A statistic in words: the first line of its docstring.

    Args:
        statistic: A function.

    Returns:
        One sentence.
    """
    return (statistic.__doc__ or statistic.__name__.replace("_", " ")).strip().splitlines()[0]


def _measured(
    statistic: Statistic, table: pd.DataFrame, exact: bool
) -> tuple[float | None, float | None, float | None, int]:
    values: Sequence[float] = [float(value) for value in statistic(table)]
    if not values or not all(isfinite(value) for value in values):
        return None, None, None, len(values)
    if exact:
        return values[0], values[0], values[0], len(values)
    mean, low, high = mean_over_seeds(values)
    return mean, low if isfinite(low) else None, high if isfinite(high) else None, len(values)


def _side(low: float | None, high: float | None, claim: Claim) -> Side:
    if low is None or high is None:
        return "open"
    if low > claim.bar:
        return "shown" if claim.above else "not shown"
    if high < claim.bar:
        return "not shown" if claim.above else "shown"
    return "open"


def _verdict(effect: Side, control: Side, seeds: int, claim: Claim) -> tuple[Verdict, str]:
    if effect == "not shown":
        return "not reproduced", f"the whole interval lies {'below' if claim.above else 'above'} the bar"
    if effect == "open":
        few = seeds < 2 and not claim.exact
        return (
            "underpowered",
            "one seed has no interval" if few else "the interval holds the bar, or a value is missing",
        )
    if control == "shown":
        return "not reproduced", "the control, which must not show the effect, shows it too"
    if control == "open":
        return "underpowered", "the control's interval holds the bar"
    return (
        "reproduced",
        "interval and control lie on their sides of the bar" if claim.control else "the interval lies beyond the bar",
    )
