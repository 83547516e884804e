"""What more data would bring: a power law with floor through the errors at several training sizes."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from heldout.engine.numerics.domain import Floats
from heldout.engine.watching.limits import check_delta
from heldout.engine.watching.power_law import PowerLaw
from heldout.records import Refusal, refuse

FEWEST = 4  # three numbers make the law, and a fourth can contradict it
STRAYS = 0.01  # level of the test that the errors follow a power law at all
SPAN = 4.0  # twice the data is half an octave to an octave of what two octaves show


@dataclass(frozen=True, slots=True)
class Extrapolation:
    """A point of a curve beyond what was measured.

    Attributes:
        target: Size or step that is asked for.
        value: Expected there; None where it abstains.
        low: Lower end of the interval.
        high: Upper end.
        confidence: Of the interval.
        now: What was measured at the last size.
        floor: a of the best law.
        scale: b.
        exponent: c; the three are of little meaning each where the curve does not bend.
        reason: Why there is no number; empty where there is one.
    """

    target: float
    value: float | None
    low: float | None
    high: float | None
    confidence: float
    now: float
    floor: float | None = None
    scale: float | None = None
    exponent: float | None = None
    reason: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON.

        Returns:
            Field -> value.
        """
        return asdict(self)


def more_data(
    sizes: ArrayLike, errors: ArrayLike, examples: int, *, target: float | None = None, confidence: float = 0.95
) -> Extrapolation:
    r"""The error to expect after training on more examples, with an interval.

    .. math:: R(n) = a + b n^{-c}, \quad a, b \ge 0, \qquad
       \sum_i \frac{(\hat R_i - R(n_i))^2}{\sigma_i^2}, \quad \sigma_i^2 = R(n_i)(1 - R(n_i)) \left(\frac1N + \frac{f}{r}\right)

    Weighted by binomial variance (weights of the fitted law, not of the measured errors, which would draw it down), and where a size
    was trained r times, by what trainings differ (f, pooled over the sizes). The interval holds the values at the target whose least
    squares exceed the minimum by no more than the quantile of chi-square with one degree of freedom (profile likelihood).

    It cannot see a change of the law beyond the largest size, such as a new phase or the end of what the network can hold, and of a
    single training a size it does not know how much another would differ. Sizes below the target only; a common test set is best.

    Args:
        sizes: Training examples ``[S]``, at least four, spread over a factor of four or more.
        errors: Test error of the network trained on each ``[S]``, or of several trainings ``[S, r]``.
        examples: Test examples N.
        target: Training examples that are asked about; None for twice the largest size.
        confidence: Of the interval.

    Returns:
        The point; it abstains where the errors follow no power law.

    Example:
        >>> found = more_data([100, 200, 400, 800], [0.26, 0.18, 0.14, 0.12], 10**9)  # 0.1 + 16 / n
        >>> found.target, round(found.value, 4), found.low < 0.11 < found.high
        (1600.0, 0.11, True)
    """
    places, table = _checked(sizes, errors, examples, target, confidence)
    goal = float(target or 2 * places.max())
    means, trainings = table.mean(-1), table.shape[-1]
    between = _between(table)
    scale = 1 / examples + (between / trainings if trainings > 1 else 0.0)
    law = _fitted(places, means, scale, goal).refined()
    best, least = law.minimum()
    last = float(means[-1])
    freedom = _freedom(table, scale, between / trainings) if trainings > 1 else np.inf
    spare = len(places) - 3
    chance = stats.chi2.sf(least, spare) if np.isinf(freedom) else stats.f.sf(least / spare, spare, freedom)
    if chance < STRAYS:
        again = (
            ""
            if trainings > 1
            else ", or trainings differ more than the test examples explain: train each size several times"
        )
        reason = f"the errors follow no power law (chance {chance:.2g}){again}"
        return Extrapolation(goal, None, None, None, confidence, last, reason=reason)
    low, high = law.within(least + _quantile(confidence, freedom), best)
    return Extrapolation(goal, best, low, min(high, 1.0), confidence, last, *law.law(best, goal))


def _quantile(confidence: float, freedom: float) -> float:
    return float(stats.chi2.ppf(confidence, 1) if np.isinf(freedom) else stats.f.ppf(confidence, 1, freedom))


def _fitted(places: Floats, means: Floats, scale: float, target: float) -> PowerLaw:
    """The squares with the variances that the law itself says; three rounds are enough, they hardly move after the first."""
    expected, floor = means, 0.5 * scale  # no error at all still has a variance: that of half an error
    for _ in range(3):
        risk = np.clip(expected, floor, 1 - floor)
        law = PowerLaw.of(places, means, 1 / (risk * (1 - risk) * scale), target)
        a, b, c = law.law(law.minimum()[0], target)
        expected = a + b * places**-c
    return law


def _between(table: Floats) -> float:
    """Variance between trainings of one size in units of p(1 - p), pooled; test noise that they do not share included."""
    if table.shape[-1] < 2:
        return 0.0
    means = table.mean(-1)
    return float(table.var(-1, ddof=1).sum() / max((means * (1 - means)).sum(), np.finfo(float).tiny))


def _freedom(table: Floats, scale: float, part: float) -> float:
    """Satterthwaite's degrees of freedom of a variance of which a part was estimated from the trainings."""
    degrees = len(table) * (table.shape[-1] - 1)
    return np.inf if part == 0 else float(degrees * (scale / part) ** 2)


def _checked(
    sizes: ArrayLike, errors: ArrayLike, examples: int, target: float | None, confidence: float
) -> tuple[Floats, Floats]:
    """Sizes in rising order with a table of errors; all faults are refused together."""
    places, table = np.asarray(sizes, dtype=np.float64), np.asarray(errors, dtype=np.float64)
    table = table[:, None] if table.ndim == 1 else table
    faults: list[Refusal] = []
    if places.ndim != 1 or table.ndim != 2 or len(table) != len(places):
        raise Refusal(
            given=f"sizes had shape {places.shape} and errors {np.shape(errors)}", expected="[S] and [S] or [S, trainings]",
            do="pass one row of errors a size",
        )  # fmt: skip
    if len(np.unique(places)) < FEWEST or len(np.unique(places)) < len(places):
        faults.append(Refusal(
            given=f"{len(np.unique(places))} different sizes in {len(places)} rows", expected=f"at least {FEWEST}, each once",
            do="train on a quarter, a half and so on of the data; trainings of one size go in one row",
        ))  # fmt: skip
    elif places.min() < 1 or not np.isfinite(places).all() or places.max() < SPAN * places.min():
        faults.append(Refusal(
            given=f"sizes from {places.min():g} to {places.max():g}", expected=f"positive, spread over a factor of {SPAN:g}",
            do="add a smaller size",
        ))  # fmt: skip
    if not ((table >= 0) & (table <= 1)).all():
        faults.append(
            Refusal(given="an error outside of 0 to 1", expected="shares of test examples", do="divide by 100")
        )
    if examples < 1:
        faults.append(
            Refusal(given=f"examples was {examples}", expected="at least one", do="pass the size of the test set")
        )
    if target is not None and not places.max() < target < np.inf:
        faults.append(
            Refusal(given=f"target was {target:g}", expected="a size beyond the largest", do="pass twice the largest")
        )
    refuse(faults)
    check_delta(1 - confidence)
    order = np.argsort(places)
    return places[order], table[order]
