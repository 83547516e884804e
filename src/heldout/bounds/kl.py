"""The Chernoff bound in its kl form."""

import numpy as np
from jaxtyping import Float

from heldout.catalog import bound
from heldout.engine.numerics import kl_chernoff_upper


@bound(
    source="Langford 2005, relative entropy test set bound; Foong et al. 2021",
    certifies="this network",
    statement="probability over the draw of the held-out examples",
)
def kl(
    held_out_losses: Float[np.ndarray, "M N"], *, log_delta: float
) -> tuple[Float[np.ndarray, " M"], tuple[tuple[str, float], ...]]:
    r"""The largest risk within a relative entropy of ln(1/delta)/n from the observed mean loss.

    .. math:: \sup \{ p : \mathrm{kl}(\hat R, p) \le \ln(1/\delta) / n \}

    Holds for every loss in [0, 1]. For 0-1 errors Clopper-Pearson is tighter. It cannot see that a loss varies less than a
    coin of the same mean; betting does.

    Args:
        held_out_losses: In [0, 1].
        log_delta: Natural logarithm of the failure probability.

    Returns:
        Upper bounds, and the steps with the share of delta that each spends.

    Example:
        >>> value, _ = kl(np.zeros((1, 100)), log_delta=np.log(0.05))
        >>> print(f"{value[0]:.5f}")
        0.02951
    """
    bounds = kl_chernoff_upper(held_out_losses.mean(-1), held_out_losses.shape[-1], log_delta)
    return np.asarray(bounds), (("the mean loss is this small", 1.0),)
