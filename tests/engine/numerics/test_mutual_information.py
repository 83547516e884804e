"""Mutual information against sums over the definition, and against identities that hold exactly."""

from itertools import product
from math import log2

import numpy as np
import pytest

from heldout.engine.numerics.mutual_information import (
    conditional_mutual_information,
    entropy,
    explained_information,
    joint_counts,
    mutual_information,
)

DRAW = np.random.default_rng(0)
A, B, C = (DRAW.integers(0, k, (3, 2, 60)) for k in (3, 2, 4))


def by_definition(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> float:
    """sum p(a,b,c) log2 p(a,b|c) / (p(a|c) p(b|c)), counted one by one."""
    n, total = len(a), 0.0
    for u, v, w in product(set(a), set(b), set(c)):
        both, one, other, alone = (
            int(hit.sum()) for hit in ((a == u) & (b == v) & (c == w), (a == u) & (c == w), (b == v) & (c == w), c == w)
        )
        if both:
            total += both / n * log2(both * alone / (one * other))
    return total


def test_every_member_is_that_of_the_definition() -> None:
    given, plain = conditional_mutual_information(A, B, C), mutual_information(A, B)
    assert given.shape == plain.shape == (3, 2)
    for place in np.ndindex(3, 2):
        assert given[place] == pytest.approx(by_definition(A[place], B[place], C[place]), rel=1e-12)
        assert plain[place] == pytest.approx(by_definition(A[place], B[place], 0 * B[place]), rel=1e-12)
        both = explained_information(A, B, C)[place]
        assert both == pytest.approx(plain[place] - given[place], abs=1e-12)


def test_it_is_symmetric_and_bounded() -> None:
    found = explained_information(A, B, C)
    np.testing.assert_allclose(found, explained_information(C, B, A), atol=1e-12)
    assert (found <= np.minimum(mutual_information(A, B), mutual_information(C, B)) + 1e-12).all()
    assert explained_information([0, 1, 1, 0], [0, 0, 1, 1], [0, 1, 0, 1]).item() == pytest.approx(-1.0)


def test_twelve_bits_and_a_biased_coin() -> None:
    assert entropy(np.ones(4096), 1).item() == 12.0
    assert entropy([[1.0, 3.0], [0.0, 2.0]], 1).tolist() == pytest.approx([2 - 0.75 * log2(3), 0.0])
    x = np.arange(4096)
    assert mutual_information(x, x).item() == 12.0
    assert mutual_information(x, x // 256).item() == 4.0


def test_counts_broadcast_a_shared_variable() -> None:
    counts = joint_counts([[0, 1, 1], [2, 2, 0]], [1, 0, 1])
    assert counts.tolist() == [[[0, 1], [1, 1], [0, 0]], [[0, 1], [0, 0], [1, 1]]]
