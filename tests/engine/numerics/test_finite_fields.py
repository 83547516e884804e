"""Linear algebra modulo a prime, against every matrix of a small size and against solutions by enumeration."""

import itertools

import numpy as np
import pytest

from heldout.engine.numerics.finite_fields import full_rank_probability, rank, row_reduced


def spanned(matrix: np.ndarray, prime: int) -> set[tuple[int, ...]]:
    """The row space by enumeration."""
    return {tuple(np.array(c) @ matrix % prime) for c in itertools.product(range(prime), repeat=len(matrix))}


@pytest.mark.parametrize(("prime", "height", "width"), [(2, 3, 3), (3, 2, 2), (2, 2, 4), (3, 3, 2)])
def test_every_matrix_keeps_its_row_space_and_is_counted(prime: int, height: int, width: int) -> None:
    every = np.array(list(itertools.product(range(prime), repeat=height * width))).reshape(-1, height, width)
    reduced, ranks = row_reduced(every, prime), rank(every, prime)
    for before, after, found in zip(every, reduced, ranks, strict=True):
        space = spanned(before, prime)
        assert space == spanned(after, prime)
        assert len(space) == prime**found
        pivots = [int(np.flatnonzero(row)[0]) for row in after if row.any()]
        assert pivots == sorted(set(pivots))
        assert all(after[:, p].sum() == 1 and after[i, p] == 1 for i, p in enumerate(pivots))
    if height == width:
        assert full_rank_probability(height, prime) == pytest.approx((ranks == height).mean(), abs=1e-12)
