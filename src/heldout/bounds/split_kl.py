"""The split-kl bound."""

import numpy as np
from jaxtyping import Float

from heldout.catalog import bound
from heldout.engine.numerics.second_moment import split_kl_upper


@bound(
    source="Wu & Seldin 2022, split-kl inequality",
    certifies="this network",
    statement="probability over the draw of the held-out examples",
)
def split_kl(
    held_out_losses: Float[np.ndarray, "M N"], *, log_delta: float, middle: float = 0.5
) -> tuple[Float[np.ndarray, " M"], tuple[tuple[str, float], ...]]:
    r"""What lies above a middle and what lies below it, each bounded by its own relative entropy.

    .. math:: \mu + (1 - \mu) \, \mathrm{kl}^{-1}_+(\hat p_+ / (1 - \mu)) - \mu \, \mathrm{kl}^{-1}_-(\hat p_- / \mu)

    Holds for every loss in [0, 1]. Best for losses that often equal the middle; for 0-1 errors it is kl with half of delta.

    Args:
        held_out_losses: In [0, 1].
        log_delta: Natural logarithm of the failure probability.
        middle: mu, fixed before the losses are seen.

    Returns:
        Upper bounds, and the steps with the share of delta that each spends.

    Example:
        >>> value, steps = split_kl(np.full((1, 1000), 0.5), log_delta=np.log(0.05))
        >>> print(f"{value[0]:.4f}", len(steps))
        0.5018 2
    """
    bounds = split_kl_upper(held_out_losses, log_delta, middle=middle)
    return np.asarray(bounds), (
        ("what lies above the middle is this small", 0.5),
        ("what lies below is this large", 0.5),
    )
