"""The exact binomial bound on the error of a fixed classifier."""

import numpy as np
from jaxtyping import Float

from heldout.catalog import bound
from heldout.engine.numerics import binomial_inverse_upper
from heldout.records import Refusal


@bound(
    source="Clopper & Pearson 1934; Langford 2005, Theorem 3.3",
    certifies="this network",
    statement="probability over the draw of the held-out examples",
)
def clopper_pearson(
    held_out_losses: Float[np.ndarray, "M N"], *, log_delta: float
) -> tuple[Float[np.ndarray, " M"], tuple[tuple[str, float], ...]]:
    r"""The largest risk under which as few errors as were seen still have probability delta.

    .. math:: \sup \{ p : P[\mathrm{Bin}(n, p) \le k] \ge \delta \}

    For a network that was fixed before the n independent held-out examples were seen, its risk is above this with probability
    at most delta. No bound for 0-1 errors that looks at their number alone is tighter. It cannot speak of another
    distribution than the one the examples came from, nor of losses other than 0 and 1.

    Args:
        held_out_losses: 0-1 errors.
        log_delta: Natural logarithm of the failure probability.

    Returns:
        Upper bounds, and the steps with the share of delta that each spends.

    Example:
        No error among 100 examples: 1 - 0.05^(1/100).

        >>> value, steps = clopper_pearson(np.zeros((1, 100)), log_delta=np.log(0.05))
        >>> print(f"{value[0]:.5f}", steps)
        0.02951 (('the number of errors is this small', 1.0),)

    Raises:
        Refusal: If a loss is neither 0 nor 1.
    """
    errors = held_out_losses.sum(-1)
    if not np.isin(held_out_losses, (0.0, 1.0)).all():
        raise Refusal(
            given="the loss takes values other than 0 and 1",
            expected="0-1 errors",
            do="use the kl or the betting certificate for a loss in a range",
        )
    bounds = binomial_inverse_upper(errors, held_out_losses.shape[-1], log_delta)
    return np.asarray(bounds), (("the number of errors is this small", 1.0),)
