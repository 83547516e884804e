"""Two-by-two tables of signs in the cells of a design, for many measures and replicates at once."""

from dataclasses import dataclass
from itertools import combinations, combinations_with_replacement, product

import numpy as np

from heldout.engine.judging.design import Codes, Design, Floats
from heldout.engine.judging.signs import order

BLOCK = 1 << 12  # pairs handled together: their signs stay in cache


def axis_sets(design: Design, sizes: tuple[int, ...]) -> list[tuple[int, ...]]:
    """Sets of hyper-parameters.

    Args:
        design: Whose.
        sizes: How many are in a set.

    Returns:
        Sets of axis numbers.
    """
    return [chosen for size in sizes for chosen in combinations(range(len(design.axes)), size)]


def cell_of(design: Design, chosen: tuple[int, ...]) -> Codes:
    """Each network's joint value of some hyper-parameters.

    Args:
        design: Whose.
        chosen: Axis numbers.

    Returns:
        ``[N]``, numbers from 0.
    """
    if not chosen:
        return np.zeros(design.networks, dtype=np.int64)
    _, cells = np.unique(design.codes[:, list(chosen)], axis=0, return_inverse=True)
    return cells.astype(np.int64)


@dataclass(frozen=True, eq=False)
class Tables:
    """Sums over the ordered pairs of two cells, weighted by how often both networks were drawn.

    Attributes:
        pairs: Of 1, ``[1, R, U]``.
        left: Of the measure's values, ``[K, R, U]``.
        right: Of the target's values, ``[1, R, U]``.
        both: Of their products, ``[K, R, U]``.
        orders: How many orders of the two cells this stands for, ``[U]``: 2 where the other order says the same and was left out.
    """

    orders: Floats
    pairs: Floats
    left: Floats
    right: Floats
    both: Floats


def tables(measures: Floats, targets: Floats, cells: Codes, multiplicities: Floats, *, strict: bool) -> Tables:
    """Sums in each pair of cells.

    Args:
        measures: ``[K, N]``.
        targets: ``[R, N]``, or ``[1, N]`` where replicates differ in their multiplicities alone.
        cells: Each network's cell, ``[N]``.
        multiplicities: ``[R, N]`` or ``[1, N]``.
        strict: Whether l and r are 1 where the first is above the second and 0 otherwise, and networks are paired with themselves
            too. Otherwise they are signs, which change with the order of two cells, so that one order is enough, and no network
            meets itself.

    Returns:
        The sums; U is the number of pairs of cells.
    """
    places = [np.flatnonzero(cells == cell) for cell in range(int(cells.max()) + 1)]
    left, right, drawn = order(measures), order(targets), multiplicities.astype(np.float32)
    chosen = list(product(places, repeat=2) if strict else combinations_with_replacement(places, 2))
    replicates, pieces = max(len(targets), len(drawn)), len(chosen)
    pairs, lefts = np.zeros((1, len(drawn), pieces)), np.zeros((len(left), len(drawn), pieces))
    rights, both = np.zeros((1, replicates, pieces)), np.zeros((len(left), replicates, pieces))
    for piece, (rows, columns) in enumerate(chosen):
        step = max(1, BLOCK // len(columns))
        for start in range(0, len(rows), step):
            some = rows[start : start + step]
            weights = drawn[:, some, None] * drawn[:, None, columns]
            if rows is columns and not strict:
                weights[:, np.arange(len(some)), start + np.arange(len(some))] = 0.0
            flat = weights.reshape(len(drawn), -1)
            one, other = _compared(left, some, columns, strict), _compared(right, some, columns, strict) * flat
            pairs[0, :, piece] += flat.sum(-1)
            lefts[..., piece] += one @ flat.T
            rights[0, :, piece] += other.sum(-1)
            both[..., piece] += one @ other.T
    orders = np.array([1.0 if strict or rows is columns else 2.0 for rows, columns in chosen])
    return Tables(orders, pairs, lefts, rights, both)


def _compared(values: np.ndarray, rows: Codes, columns: Codes, strict: bool) -> np.ndarray:
    difference = values[:, rows, None] - values[:, None, columns]
    compared = (difference > 0).astype(np.float32) if strict else np.sign(difference)
    return compared.reshape(len(values), -1)
