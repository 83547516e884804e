r"""Covering numbers of networks whose layers lie in balls: by counting parameters, and the Rademacher complexity that follows.

In p dimensions a maximal set of points of a ball of radius b that are more than epsilon apart covers what it was taken from, and has
at most :math:`(1 + 2b/\epsilon)^p` points, as balls of radius epsilon/2 around them are disjoint and lie in one of radius
:math:`b + \epsilon/2`. A class of functions in [0, 1] with N such points in the root mean square distance on n examples has

.. math:: \mathrm{Rad}_S \le \min_\alpha\; \alpha + \sqrt{\ln N(\alpha) / (2 n)}

by Cauchy and Schwarz for the rest, and by Massart's lemma for the points, one half being subtracted from every function.
"""

from math import log

import numpy as np

from heldout.engine.numerics.domain import Floats

#: Radii at which the cover is tried: the smallest counts, at no price, as every one of them bounds the same number.
RADII = 0.5 ** np.arange(1, 25)


def log_cover(log_ratio: Floats, parameters: Floats, log_reach: Floats, radius: float) -> Floats:
    r"""Logarithm of the size of a cover of all networks of a level, in root mean square distance of what is made of their outputs.

    .. math:: \ln N = \sum_i p_i \ln\Big(1 + \frac{2 L b_i R}{s_i \alpha}\Big)

    With spectral norms of at most :math:`s_i` a change of the i-th layer by :math:`\epsilon_i` moves outputs by at most
    :math:`\|x\| \prod_j s_j \cdot \epsilon_i / s_i`; with :math:`\epsilon_i = s_i \alpha / (L R)` all L changes together move what is
    made of them by alpha, R being the root mean square of inputs, times all norms, times the Lipschitz constant.

    Args:
        log_ratio: :math:`\ln(b_i/s_i)`, distance from the reference over spectral norm, ``[M, L]``.
        parameters: :math:`p_i`, ``[L]``.
        log_reach: :math:`\ln R`, ``[M, J]``.
        radius: alpha.

    Returns:
        Nats, ``[M, J]``.

    Example:
        >>> zero = np.zeros((1, 1))
        >>> print(f"{np.exp(log_cover(zero, np.array([2.0]), zero, 0.5)[0, 0]):.1f}")  # (1 + 4)^2
        25.0
    """
    depth = log_ratio.shape[1]
    inside = log(2.0 * depth / radius) + log_ratio[:, None, :] + log_reach[:, :, None]
    return np.asarray((np.logaddexp(0.0, inside) * parameters).sum(-1))


def covered_complexity(log_ratio: Floats, parameters: Floats, log_reach: Floats, examples: int) -> Floats:
    """The Rademacher complexity above, at the best of the radii.

    Args:
        log_ratio: As in :func:`log_cover`.
        parameters: As there.
        log_reach: As there.
        examples: n.

    Returns:
        ``[M, J]``, rounded up.
    """
    values = [
        radius + np.sqrt(log_cover(log_ratio, parameters, log_reach, float(radius)) / (2 * examples))
        for radius in RADII
    ]
    return np.asarray(np.min(values, axis=0) * (1 + 1e-9))
