"""Maurer and Pontil's empirical Bernstein bound."""

import numpy as np
from jaxtyping import Float

from heldout.catalog import bound
from heldout.engine.numerics import empirical_bernstein_upper


@bound(
    source="Maurer & Pontil 2009, Theorem 4",
    certifies="this network",
    statement="probability over the draw of the held-out examples",
)
def empirical_bernstein(
    held_out_losses: Float[np.ndarray, "M N"], *, log_delta: float
) -> tuple[Float[np.ndarray, " M"], tuple[tuple[str, float], ...]]:
    r"""Mean loss plus a width that shrinks with the observed variance V.

    .. math:: \hat R + \sqrt{2 V \ln(2/\delta) / n} + \frac{7 \ln(2/\delta)}{3 (n - 1)}

    Holds for every loss in [0, 1]. Half of delta pays for the mean's deviation, half for the variance's. It cannot use more
    than two moments; betting can, and is tighter.

    Args:
        held_out_losses: In [0, 1].
        log_delta: Natural logarithm of the failure probability.

    Returns:
        Upper bounds, and the steps with the share of delta that each spends.

    Example:
        >>> value, steps = empirical_bernstein(np.zeros((1, 8)), log_delta=np.log(2 / np.e))
        >>> print(f"{value[0]:.4f}", len(steps))  # 7 / (3 * 7)
        0.3333 2
    """
    size = held_out_losses.shape[-1]
    variance = held_out_losses.var(-1, ddof=1) if size > 1 else np.zeros(len(held_out_losses))
    bounds = empirical_bernstein_upper(held_out_losses.mean(-1), variance, size, log_delta)
    return np.asarray(bounds), (
        ("the mean is not far below the risk", 0.5),
        ("the variance is not far below its own", 0.5),
    )
