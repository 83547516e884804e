"""Betting on a sample drawn without replacement from a finite pool (Waudby-Smith and Ramdas), rounded outward.

Against the hypothesis that the losses of the pool of N have the mean m, the t-th loss drawn has, given those before it, the mean

    mu_t(m) = (N m - sum_{i<t} x_i) / (N - t + 1),

and the gambler of :mod:`heldout.engine.numerics.betting` bets against that, with the same predictable bets:

    K_t(m) = prod_{i<=t} (1 + min(l_i, c/(1 - mu_i(m))) (mu_i(m) - x_i)),   c = 1/2.

Under the true m this is a martingale, so that Ville's inequality holds as before. A mu_t above 1 no pool has: its m is excluded with
certainty. One below 0 excludes m from the other side, and is set to 0 here; the true m never meets either. Every factor grows with
mu, and mu with m, so the m that are not excluded are an interval [0, B), found by bisection from above.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from heldout.engine.numerics import domain
from heldout.engine.numerics.betting import TRUNCATION, predictable_bets
from heldout.engine.numerics.domain import Floats
from heldout.records import Refusal, refuse

_EPS = float(np.finfo(np.float64).eps)
_HALVINGS = 44


def pool_betting_upper(losses: ArrayLike, pool: int, log_delta: float) -> Floats:
    """The betting upper confidence bound on the mean loss of a pool, from a part of it, rounded up.

    Waudby-Smith and Ramdas (2024), Estimating means of bounded random variables by betting, JRSS B 86, section 5; formula above.
    Never above ``(sum of losses + pool - N)/pool``, which is certain. The order of the losses must be that of the draw, or a
    shuffle with a recorded seed.
    Refused: losses outside [0, 1] or none, a pool smaller than the sample, a log_delta of 0 or more or not finite.

    Args:
        losses: Shape [M, N], in the order in which they are bet on.
        pool: Examples in the pool, those N included.
        log_delta: Natural logarithm of the failure probability of each bound.

    Returns:
        float64 of shape [M], in [0, 1].

    Example:
        The whole pool is known exactly; half of it leaves half of the doubt.

        >>> whole, half = (pool_betting_upper(np.zeros((1, 50)), pool, np.log(0.05))[0] for pool in (50, 100))
        >>> whole < 1e-9, f"{half:.3f}"
        (np.True_, '0.080')
    """
    values = np.asarray(losses, dtype=np.float64)
    faults = domain.proportions("losses", values) + domain.log_probabilities(np.asarray(log_delta, dtype=np.float64))
    if values.ndim != 2 or values.shape[-1] == 0:
        faults.append(
            Refusal(given=f"losses had shape {values.shape}", expected="[M, N] with N >= 1", do="pass an array")
        )
    elif pool < values.shape[-1]:
        given = f"pool was {pool} and the sample {values.shape[-1]}"
        faults.append(Refusal(given=given, expected="a pool at least as large as its sample", do="count them again"))
    refuse(faults)
    bets, seen = predictable_bets(values, float(log_delta)), np.cumsum(values, axis=-1) - values
    low, high = np.zeros(len(values)), np.ones(len(values))
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        rejected = _rejected(values, seen, bets, middle, pool, float(log_delta))
        high, low = np.where(rejected, middle, high), np.where(rejected, low, middle)
    certain = (values.sum(-1) + (pool - values.shape[-1])) / pool * (1 + (values.shape[-1] + 4) * _EPS)
    return np.minimum(np.minimum(high, certain), 1.0)


def _rejected(
    losses: Floats, seen: Floats, bets: Floats, mean: Floats, pool: int, log_delta: float
) -> NDArray[np.bool_]:
    """Whether the pool surely has no such mean (one per row), or the wealth against it surely reached 1/delta."""
    n = losses.shape[-1]
    left = pool - np.arange(n, dtype=np.float64)
    next_mean = (pool * mean[:, None] - seen) / left
    doubt = (n + 4) * _EPS * (pool * mean[:, None] + seen) / left  # rounding of the sum of those before
    impossible = (next_mean - doubt > 1.0).any(axis=-1)
    next_mean = np.clip(next_mean - doubt, 0.0, 1.0)  # every factor grows with it: less is on the safe side
    with np.errstate(divide="ignore"):
        gains = np.log1p(np.minimum(bets, TRUNCATION / (1.0 - next_mean)) * (next_mean - losses))
    error = (n + 8) * _EPS * np.abs(gains).sum(axis=-1)
    wealth = np.cumsum(gains, axis=-1).max(axis=-1) - error
    return np.asarray(impossible | (wealth >= -log_delta))
