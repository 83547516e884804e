"""What more training would bring: a power law with floor through the latest stretch of a validation curve, in logarithmic steps."""

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from heldout.engine.numerics.domain import Floats
from heldout.engine.watching.extrapolation import Extrapolation
from heldout.engine.watching.limits import check_delta
from heldout.engine.watching.power_law import PowerLaw
from heldout.records import Refusal

OCTAVES = 3.0  # of the latest training that are looked at, where the phase is as long
BINS = 4  # an octave: what stands closer together shares its noise and is averaged
FEWEST = 6  # bins; three numbers make the law, and three more say how far the curve strays from it
BENT = 8.0  # times the squares that a parabola leaves, which has as many numbers; noise alone hardly gives as much
SPAN = 4.0  # twice the training is read from no less than two octaves


def more_training(
    steps: ArrayLike, values: ArrayLike, *, since: float = 0.0, factor: float = 2.0, confidence: float = 0.9
) -> Extrapolation:
    r"""The validation loss or error to expect after ``factor`` times as many steps, with an interval, if training goes on as it went.

    .. math:: y(s) = a + b s^{-c}, \quad a, b \ge 0, \qquad
       \frac{Q(v) - Q_{\min}}{Q_{\min} / (S - 3)} \le F_{1, S-3}

    Values are averaged in bins, four an octave of steps, so that long logs do not count their own echo; how far the bins stray
    from the law says how noisy they are. The noise of a single value is added to the interval. It is of the measured
    curve on the same validation examples, not of the risk; the two differ by what those examples share.

    It cannot see what has not begun: a new phase, a lower learning rate, a schedule that ends. It abstains where the present phase
    spans less than a factor of four in steps, and where the curve rises or falls ever faster, which no such law does.

    Args:
        steps: Steps taken ``[T]``.
        values: Validation loss or error there ``[T]``; what is not finite is left out.
        since: The step at which the present phase began.
        factor: How many times as many steps.
        confidence: Of the interval.

    Returns:
        The point; its reason where it abstains.

    Raises:
        Refusal: If the factor is not above 1.

    Example:
        >>> steps = np.arange(1, 257)
        >>> found = more_training(steps, 0.2 + 1 / np.sqrt(steps), factor=4)  # 0.2 + 1 / 32
        >>> found.target, round(found.value, 3)
        (1024.0, 0.231)
    """
    check_delta(1 - confidence)
    if not 1 < factor < np.inf:
        raise Refusal(given=f"factor was {factor:g}", expected="a finite number above 1", do="pass factor=2")
    places, measured = np.asarray(steps, dtype=np.float64), np.asarray(values, dtype=np.float64)
    kept = np.isfinite(measured) & (places > 0) & (places >= since)
    places, measured = places[kept], measured[kept]
    if not len(places):
        return Extrapolation(
            np.nan, None, None, None, confidence, np.nan, reason="the present phase has no finite value yet"
        )
    goal, last = factor * float(places.max()), float(measured[places.argmax()])
    recent = places >= places.max() * 2.0**-OCTAVES
    at, mean, count = binned(places[recent], measured[recent])
    reason = _why_not(at, mean)
    if reason:
        return Extrapolation(goal, None, None, None, confidence, last, reason=reason)
    # a loss that may be negative, a likelihood of a density for one, has no floor at 0: one so far below that it does not bind
    shift = min(0.0, float(mean.min() - 10 * np.ptp(mean))) if mean.min() < 0 else 0.0
    law = PowerLaw.of(at, mean - shift, np.ones(len(at)), goal).refined()
    best, least = law.minimum()
    spare = len(at) - 3
    noise = least / spare
    if least > BENT * max(_squares_of_parabola(at, mean), (1e-9 * float(np.abs(mean).max())) ** 2):
        reason = "the curve bends as no power law with a floor does: it has not settled yet"
        return Extrapolation(goal, None, None, None, confidence, last, reason=reason)
    floor = (1e-12 * (1 + float(np.abs(mean).max()))) ** 2  # rounding, where a curve has no noise at all
    quantile = float(stats.f.ppf(confidence, 1, spare))
    low, high = law.within(least + max(noise, floor) * quantile, best)
    alone = np.sqrt(noise * quantile * float(np.median(count)))
    low, high = best - np.hypot(best - low, alone), best + np.hypot(high - best, alone)
    floor_, scale, exponent = law.law(best, goal)
    bounds = max(0.0, float(low)) + shift if shift == 0 else float(low) + shift, float(high) + shift
    return Extrapolation(goal, best + shift, *bounds, confidence, last, floor_ + shift, scale, exponent)


def binned(places: Floats, values: Floats) -> tuple[Floats, Floats, Floats]:
    """Averages in bins of equal width in the logarithm of the steps.

    Args:
        places: Steps, positive ``[T]``.
        values: There ``[T]``.

    Returns:
        Mean step (geometric), mean value and number of values of each bin that has any.

    Example:
        >>> [each.tolist() for each in binned(np.array([8.0, 8.0, 16.0]), np.array([1.0, 3.0, 5.0]))]
        [[8.0, 16.0], [2.0, 5.0], [2.0, 1.0]]
    """
    bins = np.floor(np.log2(places / places.max()) * BINS + 1e-9).astype(np.int64)
    _, place, count = np.unique(bins, return_inverse=True, return_counts=True)
    size = count.astype(np.float64)
    means = np.bincount(place, values) / size
    return np.round(2 ** (np.bincount(place, np.log2(places)) / size), 9), means, size


def _squares_of_parabola(at: Floats, mean: Floats) -> float:
    """What a parabola in ln s leaves."""
    place = np.log(at / at.max())
    left = mean - np.polyval(np.polyfit(place, mean, 2), place)
    return float((left * left).sum())


def _why_not(at: Floats, mean: Floats) -> str:
    """Why there is nothing to go by; empty where there is."""
    if len(at) < FEWEST or at.max() < SPAN * at.min():
        return (
            f"the present phase shows {len(at)} stretches over a factor of {at.max() / at.min():.3g} in steps; "
            f"{FEWEST} over a factor of {SPAN:g} are needed"
        )
    slope = stats.linregress(np.log(at), mean)
    if slope.slope > 0 and slope.pvalue < 0.05:
        return "the validation curve has been rising: no more training of this kind will bring it down"
    return ""
