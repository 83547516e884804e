"""The verdict on a claim: reproduced, not reproduced, or underpowered."""

from collections.abc import Callable, Sequence
from math import isfinite
from typing import Any, Literal, Protocol

import pandas as pd

from heldout.catalog.studies import Claim, Statistic
from heldout.engine.numerics.seed_intervals import mean_over_seeds

Verdict = Literal["reproduced", "not reproduced", "underpowered"]
Side = Literal["shown", "not shown", "open"]


class Barred(Protocol):
    """What a verdict needs of a claim."""

    @property
    def bar(self) -> float:
        """The value that separates effect from no effect."""

    @property
    def above(self) -> bool:
        """Whether the effect lies above it."""

    @property
    def control(self) -> Any:
        """What must not show the effect; None for nothing."""

    @property
    def exact(self) -> bool:
        """Whether the statistic has no randomness."""


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
    effect = side_of(low, high, claim)
    row = {
        "claim": claim.sentence, "source": claim.source, "statistic": said(claim.statistic),
        "value": value, "low": low, "high": high, "bar": claim.bar, "above": claim.above, "seeds": seeds,
    }  # fmt: skip
    control: Side = "not shown"
    if claim.control is not None:
        centre, least, most, _ = _measured(claim.control, table, claim.exact)
        row |= {"control": centre, "control_low": least, "control_high": most}
        control = side_of(least, most, claim)
    verdict, reason = verdict_of(effect, control, seeds, claim)
    return {**row, "verdict": verdict, "reason": reason}


def said(statistic: Callable[..., Any]) -> str:
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


def side_of(low: float | None, high: float | None, claim: Barred) -> Side:
    """On which side of the bar an interval lies.

    Args:
        low: Lower end; None where there is no interval.
        high: Upper end.
        claim: Says the bar.

    Returns:
        ``shown``, ``not shown``, or ``open`` where it touches the bar or is missing.
    """
    if low is None or high is None:
        return "open"
    if low > claim.bar:
        return "shown" if claim.above else "not shown"
    if high < claim.bar:
        return "not shown" if claim.above else "shown"
    return "open"


def verdict_of(effect: Side, control: Side, seeds: int, claim: Barred) -> tuple[Verdict, str]:
    """The verdict, and why.

    Args:
        effect: Where the claim's interval lies.
        control: Where the control's lies; ``not shown`` where there is none.
        seeds: Behind the interval.
        claim: Says the bar.

    Returns:
        Verdict and reason.
    """
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
