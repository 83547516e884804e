"""Mutual information between the order of measures and that of the target, given hyper-parameters: Jiang's and the competition's."""

import numpy as np

from heldout.catalog import criterion
from heldout.engine.judging import Design
from heldout.engine.judging.design import Floats
from heldout.engine.judging.tables import axis_sets, cell_of, tables


def _information(cells: tuple[Floats, Floats, Floats, Floats]) -> tuple[Floats, Floats]:
    """Mutual information of each two-by-two table and the entropy of its target, in bits, from its four counts."""
    total = sum(cells[1:], cells[0])
    shares = [np.divide(cell, total, out=np.zeros_like(cell), where=total > 0) for cell in cells]
    left, right = (shares[0] + shares[1], shares[2] + shares[3]), (shares[0] + shares[2], shares[1] + shares[3])
    joint, one, other = (sum(_surprise(part) for part in parts) for parts in (shares, left, right))
    return np.maximum(one + other - joint, 0.0), np.asarray(other)


def _share(told: Floats, unknown: Floats) -> Floats:
    """What is told of what is unknown; NaN where nothing is, as when every cell holds one network."""
    return np.divide(told, unknown, out=np.full_like(told, np.nan), where=np.broadcast_to(unknown > 0, told.shape))


def _least(scores: list[Floats]) -> Floats:
    """The least over sets of hyper-parameters that leave something unknown."""
    least = np.min(np.where(np.isnan(scores), np.inf, scores), axis=0)
    return np.where(np.isinf(least), np.nan, least)


def _surprise(share: Floats) -> Floats:
    return np.asarray(-share * np.log2(share, out=np.zeros_like(share), where=share > 0))


@criterion(
    source="Jiang et al. 2020, equations 7 to 9",
    range=(0.0, 1.0),
    chance=None,
    sign_blind=True,
    replicates=60,
)
def conditional_mutual_information(measures: Floats, targets: Floats, multiplicities: Floats, design: Design) -> Floats:
    r"""Information of the measure's order about the target's, given any two hyper-parameters; of all such pairs the least.

    .. math:: K(\mu) = \min_{|S| \le 2} \frac{I(V_\mu; V_g \mid U_S)}{H(V_g \mid U_S)}

    V are signs of differences over ordered pairs of networks, ties counted half to each side, and U_S the values that both have
    in the hyper-parameters S. It does not see the sign: a measure that is always wrong scores as one that is always right. It is
    never 0 by chance on a finite ledger: compare with the null.

    Args:
        measures: ``[K, N]``.
        targets: ``[R, N]``.
        multiplicities: How often each network counts, ``[R, N]`` or ``[1, N]``.
        design: Of the N networks.

    Returns:
        ``[K, R]``.

    Example:
        >>> from heldout.engine.judging import designed
        >>> design = designed({"width": np.arange(6) % 3, "rate": np.arange(6) // 3})
        >>> gap = np.array([[1.0, 2, 3, 4, 5, 6]])
        >>> conditional_mutual_information(-gap, gap, np.ones((1, 6)), design).item()
        1.0
    """
    sets = [cell_of(design, chosen) for chosen in axis_sets(design, (0, 1, 2))]
    scores = []
    for cells in sets:
        sums = tables(measures, targets, cells, multiplicities, strict=False)
        four = tuple(
            (sums.pairs + a * sums.left + b * sums.right + a * b * sums.both) / 4 for a in (1, -1) for b in (1, -1)
        )
        information, entropy = _information((four[0], four[1], four[2], four[3]))
        shares = sums.orders * sums.pairs
        told, unknown = (shares * information).sum(-1), (shares * entropy).sum(-1)
        scores.append(_share(told, unknown))
    return _least(scores)


@criterion(
    source="Jiang et al. 2020b, Predicting Generalization in Deep Learning competition, scoring program",
    range=(0.0, 1.0),
    chance=None,
    sign_blind=True,
    replicates=60,
)
def competition_score(measures: Floats, targets: Floats, multiplicities: Floats, design: Design) -> Floats:
    r"""The score of the 2020 competition, over 100: as above with its own conventions.

    Exactly two hyper-parameters are held (all, where there are fewer); every pair of their values weighs the same however many
    networks it has; networks are paired with themselves too, and ties count as a strict order that is not met. On 32 networks a
    random measure scores 0.016, and 0.031 once in twenty: single scores below 0.04 mean nothing.

    Args:
        measures: ``[K, N]``.
        targets: ``[R, N]``.
        multiplicities: How often each network counts, ``[R, N]`` or ``[1, N]``.
        design: Of the N networks.

    Returns:
        ``[K, R]``.

    Example:
        >>> from heldout.engine.judging import designed
        >>> design = designed({name: np.arange(16) // 2**i % 2 for i, name in enumerate("abcd")})
        >>> gap = np.arange(16.0)[None]
        >>> score = competition_score(gap, gap, np.ones((1, 16)), design).item()
        >>> round(score, 6)
        1.0
    """
    sets = [cell_of(design, chosen) for chosen in axis_sets(design, (min(2, len(design.axes)),))]
    scores = []
    for cells in sets:
        sums = tables(measures, targets, cells, multiplicities, strict=True)
        both, one, other = sums.both, sums.left - sums.both, sums.right - sums.both
        information, entropy = _information((both, one, other, sums.pairs - both - one - other))
        scores.append(_share(information.mean(-1), entropy.mean(-1)))
    return _least(scores)
