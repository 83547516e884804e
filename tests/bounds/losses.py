"""Held-out losses to bound: 0-1 errors, and real losses in [0, 1]."""

import numpy as np


def zero_one(errors: int, n: int) -> np.ndarray:
    """``[1, n]`` with so many errors at random places."""
    losses = np.zeros((1, n))
    losses[0, np.random.default_rng(errors).permutation(n)[:errors]] = 1.0
    return losses


def real(n: int, seed: int = 0) -> np.ndarray:
    """``[1, n]`` of a Beta law."""
    return np.random.default_rng(seed).beta(2, 9, size=(1, n))


COUNTS = [(0, 30), (3, 40), (17, 60), (40, 40)]
DELTAS = [0.05, 1e-4]
