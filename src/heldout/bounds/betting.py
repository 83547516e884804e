"""The betting bound: a gambler who would grow rich if the risk were higher."""

import numpy as np
from jaxtyping import Float

from heldout.catalog import bound
from heldout.engine.numerics import betting_upper, shuffled


@bound(
    source="Waudby-Smith & Ramdas 2024, hedged capital (one side)",
    certifies="this network",
    statement="probability over the draw of the held-out examples",
)
def betting(
    held_out_losses: Float[np.ndarray, "M N"], *, log_delta: float, order_seed: int = 0
) -> tuple[Float[np.ndarray, " M"], tuple[tuple[str, float], ...]]:
    r"""The largest risk against which predictable bets never multiplied their stake by 1/delta.

    .. math:: \sup \{ m : \max_t \prod_{i \le t} (1 - \lambda_i (\ell_i - m)) < 1/\delta \}

    Holds for every loss in [0, 1], and adapts to its variance without being told. The value depends on the order of the
    examples, which is shuffled once with a recorded seed: shuffling again and keeping the best would not be valid.

    Args:
        held_out_losses: In [0, 1].
        log_delta: Natural logarithm of the failure probability.
        order_seed: Of the order.

    Returns:
        Upper bounds, and the steps with the share of delta that each spends.

    Example:
        >>> value, steps = betting(np.full((1, 500), 0.25), log_delta=np.log(0.05))
        >>> 0.25 < value[0] < 0.28, steps[0][1]
        (np.True_, 1.0)
    """
    order = shuffled(held_out_losses.shape[-1], order_seed)
    bounds = betting_upper(held_out_losses[..., order], log_delta)
    return np.asarray(bounds), ((f"no wealth of 1/delta in the order of seed {order_seed}", 1.0),)
