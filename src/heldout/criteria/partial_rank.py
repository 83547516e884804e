"""Rank correlation of what the hyper-parameters leave unexplained."""

import numpy as np
from scipy.stats import rankdata

from heldout.catalog import criterion
from heldout.engine.judging import Design
from heldout.engine.judging.design import Floats

SPARE = 5  # networks a column of the design, at least, for interactions to be taken out too


@criterion(
    source="Dziugaite et al. 2020 (the question); partial Spearman correlation, Kendall and Stuart 1973",
    range=(-1.0, 1.0),
    chance=0.0,
)
def partial_rank(measures: Floats, targets: Floats, multiplicities: Floats, design: Design) -> Floats:
    r"""Correlation of ranks after the hyper-parameters' effects on both were taken out.

    .. math:: \mathrm{corr}(r_\mu - D \hat\beta_\mu,\; r_g - D \hat\beta_g)

    D has a column for every value of every hyper-parameter, and for every pair of values of two where networks are plentiful. What a
    measure owes to interactions of more than that still counts for it.

    Args:
        measures: ``[K, N]``, oriented so that larger promises more error.
        targets: ``[R, N]``.
        multiplicities: How often each network counts, ``[R, N]`` or ``[1, N]``.
        design: Of the N networks.

    Returns:
        ``[K, R]``; 0 where nothing is left of one of the two.

    Example:
        >>> from heldout.engine.judging import designed
        >>> design = designed({"width": np.array([1, 1, 1, 2, 2, 2])})
        >>> gap, proxy = np.array([[1.0, 2, 3, 7, 8, 9]]), np.array([[1.0, 1, 1, 2, 2, 2]])
        >>> partial_rank(np.concatenate([gap, proxy]), gap, np.ones((1, 6)), design)[:, 0].round(6).tolist()
        [1.0, 0.0]
    """
    columns = design_columns(design)
    left, right = rankdata(measures, axis=1), rankdata(targets, axis=1)
    if len(multiplicities) == 1:
        return _correlation(_residuals(left, columns), _residuals(right, columns))
    found = []
    for replicate, drawn in enumerate(multiplicities):
        own, root = right[replicate % len(right)][None], np.sqrt(drawn)
        rest = [_residuals(values * root, columns * root[:, None]) for values in (left, own)]
        found.append(_correlation(rest[0], rest[1])[:, 0])
    return np.stack(found, axis=1)


def design_columns(design: Design) -> Floats:
    """Indicator columns of the hyper-parameters' values, and of pairs of values where networks are plentiful.

    Args:
        design: Of the networks.

    Returns:
        ``[N, columns]``, a constant first.
    """
    singles = [
        (design.codes[:, axis] == value).astype(np.float64)
        for axis in range(len(design.axes))
        for value in range(1, design.levels[axis])
    ]
    owners = [axis for axis in range(len(design.axes)) for _ in range(1, design.levels[axis])]
    doubles = [singles[i] * singles[j] for i in range(len(singles)) for j in range(i) if owners[i] != owners[j]]
    chosen = singles + (doubles if SPARE * (1 + len(singles) + len(doubles)) <= design.networks else [])
    return np.stack([np.ones(design.networks), *chosen], axis=1)


def _residuals(values: Floats, columns: Floats) -> Floats:
    basis, scale, _ = np.linalg.svd(columns, full_matrices=False)
    basis = basis[:, scale > 1e-10 * scale[0]]
    rest = values - (values @ basis) @ basis.T
    # what rounding leaves of a measure that the design explains is no residual
    explained = np.linalg.norm(rest, axis=1) <= 1e-9 * np.linalg.norm(values, axis=1)
    return np.where(explained[:, None], 0.0, rest)


def _correlation(left: Floats, right: Floats) -> Floats:
    norms = np.linalg.norm(left, axis=1)[:, None] * np.linalg.norm(right, axis=1)[None]
    return np.divide(left @ right.T, norms, out=np.zeros(norms.shape), where=norms > 0)
