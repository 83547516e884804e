"""Hoeffding's bound."""

import numpy as np
from jaxtyping import Float

from heldout.catalog import bound
from heldout.engine.numerics import hoeffding_upper


@bound(
    source="Hoeffding 1963, Theorem 2",
    certifies="this network",
    statement="probability over the draw of the held-out examples",
)
def hoeffding(
    held_out_losses: Float[np.ndarray, "M N"], *, log_delta: float
) -> tuple[Float[np.ndarray, " M"], tuple[tuple[str, float], ...]]:
    r"""Mean loss plus a width that does not depend on it.

    .. math:: \hat R + \sqrt{\ln(1/\delta) / (2 n)}

    Holds for every loss in [0, 1]; never tighter than kl. It is here because people know it.

    Args:
        held_out_losses: In [0, 1].
        log_delta: Natural logarithm of the failure probability.

    Returns:
        Upper bounds, and the steps with the share of delta that each spends.

    Example:
        >>> value, _ = hoeffding(np.full((1, 200), 0.25), log_delta=-1.0)
        >>> print(f"{value[0]:.4f}")  # 1/4 + sqrt(1/400)
        0.3000
    """
    bounds = hoeffding_upper(held_out_losses.mean(-1), held_out_losses.shape[-1], log_delta)
    return np.asarray(bounds), (("the mean loss is this small", 1.0),)
