"""Learn then test: which settings of a fixed grid keep a risk below a target, with a guarantee for all of them at once."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import binom

from heldout.engine.numerics import domain
from heldout.engine.numerics.domain import Floats
from heldout.engine.numerics.kl import binary_kl
from heldout.records import Refusal, refuse

METHODS = ("bonferroni-holm", "fixed-sequence")


def hoeffding_bentkus(mean: ArrayLike, n: int, target: float) -> Floats:
    r"""A p-value of the hypothesis that the risk is above the target.

    .. math:: \min\left( e^{-n \, \mathrm{kl}(\min(\hat R, \alpha), \alpha)}, \;
       e \, P[\mathrm{Bin}(n, \alpha) \le \lceil n \hat R \rceil] \right)

    Bates et al. (2021); Angelopoulos et al., Learn then test. For independent losses in [0, 1]. Refused: means outside [0, 1].

    Args:
        mean: Mean loss on n held-out examples.
        n: Their number.
        target: alpha, strictly between 0 and 1.

    Returns:
        float64, in [0, 1].

    Example:
        >>> print(f"{hoeffding_bentkus(0.0, 100, 0.05):.4f}")  # 0.95^100
        0.0059
    """
    average, size, level = domain.broadcast(mean, n, target)
    refuse(domain.proportions("mean", average) + domain.sizes(size))
    entropic = np.exp(-size * binary_kl(np.minimum(average, level), level))
    total = size * average
    counted = np.where(
        np.abs(total - np.rint(total)) < 1e-9 * size, np.rint(total), np.ceil(total)
    )  # a mean of errors is rounded
    binomial = np.e * binom.cdf(counted, size, level)
    return np.minimum(np.minimum(entropic, binomial), 1.0)[()]


def learn_then_test(
    losses: ArrayLike, target: float, *, delta: float = 0.05, method: str = "bonferroni-holm"
) -> NDArray[np.bool_]:
    """Settings whose risk is at most the target; all that are named are so at once, with probability at least 1 - delta.

    Angelopoulos et al. (2021), Learn then test, Theorem 1. Any of them may then be chosen, by whatever it achieves.

    Args:
        losses: Losses in [0, 1] of each setting on the same held-out examples, ``[L, N]``. The grid was fixed beforehand.
        target: The risk to stay below.
        delta: Failure probability.
        method: ``"bonferroni-holm"``; or ``"fixed-sequence"``, which tests in the given order, the safest first, and stops at the
            first setting that fails.

    Returns:
        ``[L]``, True for the settings that may be used.

    Raises:
        Refusal: If an argument is out of its range.

    Example:
        >>> losses = np.zeros((2, 100))
        >>> losses[1, :10] = 1
        >>> learn_then_test(losses, 0.1).tolist()
        [True, False]
    """
    values = np.asarray(losses, dtype=np.float64)
    if values.ndim != 2 or not values.size:
        raise Refusal(
            given=f"losses had shape {values.shape}", expected="[settings, examples]", do="pass one row a setting"
        )
    refuse(domain.proportions("losses", values))
    if not 0 < target < 1 or not 0 < delta < 1:
        raise Refusal(
            given=f"target was {target:g} and delta {delta:g}",
            expected="numbers strictly between 0 and 1",
            do="pass target=0.1, delta=0.05",
        )
    if method not in METHODS:
        raise Refusal(given=f"method was '{method}'", expected=f"one of {', '.join(METHODS)}", do="choose one of these")
    p_values = np.asarray(hoeffding_bentkus(values.mean(-1), values.shape[-1], target))
    if method == "fixed-sequence":
        return np.cumprod(p_values <= delta).astype(bool)
    order = np.argsort(p_values, kind="stable")
    levels = delta / (len(p_values) - np.arange(len(p_values)))
    accepted = np.zeros(len(p_values), dtype=bool)
    accepted[order] = np.cumprod(p_values[order] <= levels).astype(bool)
    return accepted
