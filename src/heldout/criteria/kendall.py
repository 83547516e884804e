"""Kendall's rank correlation of measures with the target, over all pairs of networks."""

import numpy as np

from heldout.catalog import criterion
from heldout.engine.judging import Design
from heldout.engine.judging.design import Floats
from heldout.engine.judging.signs import agreement


@criterion(
    source="Kendall 1938 (tau-a); Jiang et al. 2020, equation 1",
    range=(-1.0, 1.0),
    chance=0.0,
)
def kendall(measures: Floats, targets: Floats, multiplicities: Floats, design: Design) -> Floats:
    r"""Share of pairs that the measure orders as the target does, minus the share that it orders the other way.

    .. math:: \tau = \operatorname{mean}_{i<j} \mathrm{sign}(\mu_i - \mu_j)\,\mathrm{sign}(g_i - g_j)

    Ties count as neither. Over a grid of hyper-parameters it rewards whatever follows the strongest of them, so that a proxy for one
    axis can score high: read it beside granulated Kendall and the partial rank.

    Args:
        measures: ``[K, N]``, oriented so that larger promises more error.
        targets: ``[R, N]``.
        multiplicities: How often each network counts, ``[R, N]`` or ``[1, N]``.
        design: Of the N networks.

    Returns:
        ``[K, R]``.

    Example:
        >>> from heldout.engine.judging import designed
        >>> design = designed({"width": np.array([1, 2, 3, 4])})
        >>> kendall(np.array([[1.0, 2, 3, 4]]), np.array([[0.1, 0.2, 0.4, 0.3]]), np.ones((1, 4)), design).round(3).item()
        0.667
    """
    pairs = design.pairs
    sums, total = agreement(measures, targets, multiplicities, pairs.first, pairs.second, np.ones(1))
    return sums / np.maximum(total, 1e-300)
