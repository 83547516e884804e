"""Markov chains over a small vocabulary: text whose entropy is known."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def transitions(vocabulary: int, *, concentration: float, seed: int) -> Floats:
    """A transition matrix with rows from a symmetric Dirichlet law.

    Args:
        vocabulary: V.
        concentration: Of the law; small for rows that favour few tokens.
        seed: Of the rows.

    Returns:
        ``[V, V]``, rows summing to 1, every entry positive.
    """
    rows = np.random.default_rng([seed, vocabulary, 11]).dirichlet(np.full(vocabulary, concentration), size=vocabulary)
    return 0.99 * rows / rows.sum(1, keepdims=True) + 0.01 / vocabulary


def stationary(matrix: Floats) -> Floats:
    """The law that a chain keeps.

    Args:
        matrix: Transitions, ``[V, V]``.

    Returns:
        ``[V]``.
    """
    size = len(matrix)
    system = np.vstack([matrix.T - np.eye(size), np.ones(size)])
    found: Floats = np.linalg.lstsq(system, np.r_[np.zeros(size), 1.0], rcond=None)[0]
    return found


def entropy(matrix: Floats, length: int) -> float:
    """Bits a token of a stationary chain's stretch: that of its first token and ``length - 1`` times the chain's rate, over length.

    No predictor's expected code length for such a document is below it.

    Args:
        matrix: Transitions, ``[V, V]``.
        length: Tokens.

    Returns:
        Bits.

    Example:
        >>> entropy(np.full((4, 4), 0.25), 7)
        2.0
    """
    law = stationary(matrix)
    rate = float(-(law[:, None] * matrix * np.log2(matrix)).sum())
    return float((-(law * np.log2(law)).sum() + (length - 1) * rate) / length)


def sampled(matrix: Floats, documents: int, length: int, generator: np.random.Generator) -> NDArray[np.int64]:
    """Independent stretches of a stationary chain.

    Args:
        matrix: Transitions, ``[V, V]``.
        documents: N.
        length: T.
        generator: Randomness.

    Returns:
        Tokens ``[N, T]``.
    """
    tokens, ends = np.empty((documents, length), dtype=np.int64), matrix.cumsum(1)
    tokens[:, 0] = np.searchsorted(stationary(matrix).cumsum(), generator.random(documents))
    for place in range(1, length):
        tokens[:, place] = (ends[tokens[:, place - 1]] < generator.random((documents, 1))).sum(1)
    return np.minimum(tokens, len(matrix) - 1)
