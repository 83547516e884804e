"""Markov chains: the law they keep, their entropy against brute force, and samples against both."""

import itertools
import math

import numpy as np
import pytest

from heldout.engine.numerics.markov_chains import entropy, sampled, stationary, transitions


def test_rows_are_laws_and_the_stationary_one_stays() -> None:
    matrix = transitions(5, concentration=0.4, seed=3)
    np.testing.assert_allclose(matrix.sum(1), 1.0, rtol=1e-12)
    assert matrix.min() >= 0.001
    np.testing.assert_allclose(stationary(matrix) @ matrix, stationary(matrix), rtol=1e-9)
    assert not np.allclose(matrix, transitions(5, concentration=0.4, seed=4))
    assert transitions(5, concentration=50.0, seed=3).std() < matrix.std()


def test_entropy_by_all_documents() -> None:
    matrix = transitions(3, concentration=0.7, seed=1)
    law, whole = stationary(matrix), 0.0
    for document in itertools.product(range(3), repeat=4):
        p = law[document[0]] * math.prod(matrix[a, b] for a, b in itertools.pairwise(document))
        whole -= p * math.log2(p)
    assert entropy(matrix, 4) == pytest.approx(whole / 4, rel=1e-10)


def test_samples_follow_the_chain() -> None:
    """40,000 transitions of 3 tokens: deviations beyond 0.03 from any entry have probability below 1e-6."""
    matrix = transitions(3, concentration=1.0, seed=2)
    tokens = sampled(matrix, 4000, 11, np.random.default_rng(0))
    counts = np.zeros((3, 3))
    np.add.at(counts, (tokens[:, :-1].ravel(), tokens[:, 1:].ravel()), 1)
    seen = counts.sum(1) > 5000
    np.testing.assert_allclose((counts / counts.sum(1, keepdims=True))[seen], matrix[seen], atol=0.035)
    np.testing.assert_allclose(np.bincount(tokens[:, 0]) / 4000, stationary(matrix), atol=0.045)
