"""Errors in a finite pool, from a sample without replacement: the exact hypergeometric bound."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betaln, logsumexp

from heldout.engine.numerics.domain import Floats
from heldout.records import Refusal


def pool_errors_upper(errors: ArrayLike, sample: int, pool: int, log_delta: float) -> Floats:
    r"""The largest number of errors in a pool under which as few as were seen still have probability delta.

    .. math:: \max \{ K : P[\mathrm{Hypergeometric}(\text{pool}, K, n) \le k] \ge \delta \}

    The sample is drawn without replacement, every subset alike. Exact: Clopper-Pearson is its limit as the pool grows.

    Args:
        errors: k, seen in the sample.
        sample: n, the sample's size.
        pool: Its size.
        log_delta: Natural logarithm of the failure probability.

    Returns:
        Share of the pool, float64, at least the share of errors already seen.

    Raises:
        Refusal: If the numbers are out of order: 0 <= k <= n <= pool.

    Example:
        The whole pool was looked at.

        >>> float(pool_errors_upper(3, 20, 20, np.log(0.05)))
        0.15
    """
    seen = np.asarray(errors, dtype=np.int64)
    if not (1 <= sample <= pool and (seen >= 0).all() and (seen <= sample).all()):
        raise Refusal(
            given=f"errors {np.unique(seen).tolist()[:5]} in a sample of {sample} from a pool of {pool}",
            expected="0 <= errors <= sample <= pool",
            do="pass the size of the whole pool, the sample included",
        )
    if not log_delta < 0:
        raise Refusal(given=f"log_delta was {log_delta:g}", expected="a negative number", do="pass log(0.05)")
    found = {int(k): _largest(int(k), sample, pool, log_delta) for k in np.unique(seen)}
    counts = np.vectorize(found.__getitem__, otypes=[np.float64])(seen)
    return np.asarray(
        np.where(counts == pool, 1.0, np.nextafter(counts / pool, np.inf) if sample < pool else counts / pool)
    )


def _largest(k: int, sample: int, pool: int, log_delta: float) -> int:
    """The largest K whose tail is at least delta: the tail falls as K grows, so bisection finds it."""
    low, high = k, pool - (sample - k)  # the sample's right examples are right in the pool too
    while low < high:
        middle = (low + high + 1) // 2
        # a hair in favour of the larger K: the sum of logarithms is good to about 1e-11
        low, high = (middle, high) if _log_tail(k, sample, pool, middle) >= log_delta - 1e-9 else (low, middle - 1)
    return low


def _log_tail(k: int, sample: int, pool: int, errors: int) -> float:
    """The logarithm of P[X <= k] for X hypergeometric, by its terms."""
    i = np.arange(max(0, sample - (pool - errors)), min(k, errors) + 1)
    if not len(i):
        return -np.inf
    return float(logsumexp(_log_choose(errors, i) + _log_choose(pool - errors, sample - i)) - _log_choose(pool, sample))


def _log_choose(n: int, k: ArrayLike) -> Floats:
    return -betaln(1.0 + n - np.asarray(k), 1.0 + np.asarray(k)) - np.log1p(n)
