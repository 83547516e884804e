"""The unexpected Bernstein bound."""

import numpy as np
from jaxtyping import Float

from heldout.catalog import bound
from heldout.engine.numerics.second_moment import unexpected_bernstein_upper


@bound(
    source="Mhammedi et al. 2019; Wu & Seldin 2022 (its grid)",
    certifies="this network",
    statement="probability over the draw of the held-out examples",
)
def unexpected_bernstein(
    held_out_losses: Float[np.ndarray, "M N"], *, log_delta: float
) -> tuple[Float[np.ndarray, " M"], tuple[tuple[str, float], ...]]:
    r"""Mean loss plus a width that shrinks with the mean squared loss, over a grid of slopes that is paid for.

    .. math:: \min_{\gamma} \hat R + \frac{-\gamma - \ln(1 - \gamma)}{\gamma} \frac1n \sum_i \ell_i^2 + \frac{\ln(k/\delta)}{\gamma n}

    Holds for every loss in [0, 1]. It looks at the second moment rather than the variance, so it is good for losses near 0 alone.

    Args:
        held_out_losses: In [0, 1].
        log_delta: Natural logarithm of the failure probability.

    Returns:
        Upper bounds, and the steps with the share of delta that each spends.

    Example:
        >>> value, steps = unexpected_bernstein(np.zeros((1, 100)), log_delta=-1.0)
        >>> print(f"{value[0]:.4f}", steps[0][1])
        0.0420 1.0
    """
    bounds = unexpected_bernstein_upper(held_out_losses, log_delta)
    return np.asarray(bounds), (("the mean loss is this small, for every slope of the grid at once", 1.0),)
