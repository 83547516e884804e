"""Granulated Kendall: rank correlation among networks that differ in one hyper-parameter, averaged over the hyper-parameters."""

import numpy as np

from heldout.catalog import criterion
from heldout.engine.judging import Design
from heldout.engine.judging.design import Floats
from heldout.engine.judging.signs import agreement


@criterion(source="Jiang et al. 2020, equations 3 and 4", range=(-1.0, 1.0), chance=0.0, by_axis=True)
def granulated_kendall(
    measures: Floats, targets: Floats, multiplicities: Floats, design: Design, *, axis: int | None = None
) -> Floats:
    r"""Kendall's tau within each setting of all other hyper-parameters, averaged over settings, then over hyper-parameters.

    .. math:: \psi_i = \operatorname{mean}_{\text{settings}} \tau(\text{networks that differ in } i \text{ alone}), \quad
        \Psi = \operatorname{mean}_i \psi_i

    A measure that sees one hyper-parameter alone cannot score on the others. Pairs that differ in their seed alone are left out. A
    measure that follows every hyper-parameter's known effect scores high without knowing anything of the single network.

    Args:
        measures: ``[K, N]``, oriented so that larger promises more error.
        targets: ``[R, N]``.
        multiplicities: How often each network counts, ``[R, N]`` or ``[1, N]``.
        design: Of the N networks.
        axis: One hyper-parameter's :math:`\psi_i`; None for their mean :math:`\Psi`.

    Returns:
        ``[K, R]``; NaN where no two networks differ in one hyper-parameter alone.

    Example:
        >>> from heldout.engine.judging import designed
        >>> design = designed({"width": np.array([1, 1, 2, 2]), "rate": np.array([1, 2, 1, 2])})
        >>> width, gap = np.array([[1.0, 1, 2, 2]]), np.array([[1.0, 2, 3, 4]])
        >>> granulated_kendall(width, gap, np.ones((1, 4)), design).item()  # right on one axis, silent on the other
        0.5
    """
    pairs, found = design.one_axis, []
    sizes = np.bincount(pairs.group) if len(pairs.group) else np.zeros(0)
    for number in range(len(design.axes)) if axis is None else (axis,):
        own = pairs.axis == number
        if not own.any():
            continue
        first, second = pairs.first[own], pairs.second[own]
        sums, total = agreement(measures, targets, multiplicities, first, second, 1.0 / sizes[pairs.group[own]])
        found.append(np.where(total > 0, sums / np.maximum(total, 1e-300), np.nan))
    if not found:
        return np.full((len(measures), max(len(targets), len(multiplicities))), np.nan)
    whole = np.stack(found)
    known = ~np.isnan(whole)
    # an axis of which no pair was drawn says nothing; where no axis says anything there is no value
    return np.where(
        known.any(axis=0), np.where(known, whole, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1), np.nan
    )
