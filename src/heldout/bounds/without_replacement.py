"""Bounds for a sample without replacement from a finite pool: exact for errors, by betting for losses."""

from typing import Any

import numpy as np
from jaxtyping import Float

from heldout.catalog import bound
from heldout.engine.numerics import shuffled
from heldout.engine.numerics.finite_pool import pool_errors_upper
from heldout.engine.numerics.pool_betting import pool_betting_upper
from heldout.records import Bounded


def pools(generator: np.random.Generator, problems: int) -> tuple[dict[str, Any], np.ndarray]:
    """Problems of known risk: 60 of 100 examples, of which 12 are wrong in the pool.

    Args:
        generator: Randomness.
        problems: How many.

    Returns:
        Evidence by name, and the true shares of errors.
    """
    wrong = np.arange(100) < 12
    losses = generator.permuted(np.tile(wrong, (problems, 1)), axis=1)[:, :60].astype(np.float64)
    return {"held_out_losses": losses, "held_out_pool": 100}, np.full(problems, 0.12)


@bound(
    source="Hypergeometric tail inversion (Chvatal 1979 for the tail; exact here)",
    certifies="this network on the examples of the pool",
    statement="probability over the draw of the sample from the pool, without replacement",
    problem=pools,
)
def without_replacement(held_out_losses: Float[np.ndarray, "M N"], held_out_pool: int, *, log_delta: float) -> Bounded:
    r"""The largest share of errors in the pool under which as few as were seen still have probability delta.

    .. math:: \max \{ K : P[\mathrm{Hypergeometric}(\text{pool}, K, n) \le k] \ge \delta \} / \text{pool}

    For an engineer who labels a random part of a finite archive: what is known of the rest. Tighter than Clopper-Pearson, and the
    more so the larger the part. It says nothing of examples outside the pool.

    Args:
        held_out_losses: 0-1 errors.
        held_out_pool: Size of the pool, the sample included.
        log_delta: Natural logarithm of the failure probability.

    Returns:
        Upper bounds with their account. Losses other than 0 and 1 are counted as errors, which is on the safe side.

    Example:
        >>> value = without_replacement(np.zeros((1, 50)), 100, log_delta=np.log(0.05)).value[0]
        >>> print(f"{value:.2f}")  # 4 errors in the other 50 would have been missed with a probability above 5 %
        0.04
    """
    errors, sample = np.ceil(held_out_losses).sum(-1).astype(np.int64), held_out_losses.shape[-1]
    return Bounded(
        value=np.asarray(pool_errors_upper(errors, sample, held_out_pool, log_delta)),
        steps=(("the number of errors in the sample is this small", 1.0),),
        empirical_risk=held_out_losses.mean(-1),
        examples=sample,
        data={"bound": f"{sample} held-out examples, drawn without replacement from a pool of {held_out_pool}"},
    )


def graded_pools(generator: np.random.Generator, problems: int) -> tuple[dict[str, Any], np.ndarray]:
    """Problems of known risk: 60 of 100 losses of many sizes, of which the pool's mean is known.

    Args:
        generator: Randomness.
        problems: How many.

    Returns:
        Evidence by name, and the true mean losses.
    """
    pool = np.random.default_rng(5).beta(0.3, 2.0, 100)
    losses = generator.permuted(np.tile(pool, (problems, 1)), axis=1)[:, :60]
    return {"held_out_losses": losses, "held_out_pool": 100}, np.full(problems, pool.mean())


@bound(
    source="Waudby-Smith & Ramdas 2024, section 5 (betting without replacement, one side)",
    certifies="this network on the examples of the pool",
    statement="probability over the draw of the sample from the pool, without replacement",
    problem=graded_pools,
)
def betting_without_replacement(
    held_out_losses: Float[np.ndarray, "M N"], held_out_pool: int, *, log_delta: float, order_seed: int = 0
) -> Bounded:
    r"""The largest mean loss of the pool against which predictable bets never multiplied their stake by 1/delta.

    .. math:: \max_t \prod_{i \le t} (1 + \lambda_i (\mu_i(m) - \ell_i)) < 1/\delta, \quad
        \mu_i(m) = \frac{N m - \sum_{j<i} \ell_j}{N - i + 1}

    For losses that are more than right or wrong; for errors the exact bound is tighter. The order is shuffled once with a recorded
    seed, as in betting.

    Args:
        held_out_losses: In [0, 1].
        held_out_pool: Size N of the pool, the sample included.
        log_delta: Natural logarithm of the failure probability.
        order_seed: Of the order.

    Returns:
        Upper bounds with their account.

    Example:
        >>> said = betting_without_replacement(np.full((1, 90), 0.25), 100, log_delta=np.log(0.05))
        >>> bool(0.25 < said.value[0] < 0.28)
        True
    """
    sample = held_out_losses.shape[-1]
    ordered = held_out_losses[..., shuffled(sample, order_seed)]
    return Bounded(
        value=pool_betting_upper(ordered, held_out_pool, log_delta),
        steps=((f"no wealth of 1/delta in the order of seed {order_seed}", 1.0),),
        empirical_risk=held_out_losses.mean(-1),
        examples=sample,
        data={"bound": f"{sample} held-out examples, drawn without replacement from a pool of {held_out_pool}"},
    )
