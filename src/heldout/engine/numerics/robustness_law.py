"""The universal law of robustness: how steep a function of p parameters must be that fits noise."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def robustness_law(examples: ArrayLike, dimension: ArrayLike, parameters: ArrayLike) -> NDArray[np.float64]:
    r"""Least Lipschitz constant of functions that fit noisy labels, its constant and logarithms left out.

    .. math:: \mathrm{Lip}(f) \gtrsim \sqrt{\frac{n d}{p}}

    Bubeck and Sellke 2021, theorem 1: for inputs of spread 1 that concentrate as in d dimensions, and labels whose noise is
    fitted. With two layers of k units, ``p = k d``, it is ``sqrt(n / k)`` (Bubeck, Li and Nagaraj 2021, conjecture 1).

    Args:
        examples: n.
        dimension: d.
        parameters: p.

    Returns:
        The right-hand side.

    Example:
        >>> float(robustness_law(100, 25, 2500))
        1.0
    """
    n, d, p = (np.asarray(number, dtype=np.float64) for number in (examples, dimension, parameters))
    return np.asarray(np.sqrt(n * d / p))
