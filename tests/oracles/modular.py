"""Modular arithmetic and its Fourier analysis in plain loops and matrices, float64, apart from heldout."""

import numpy as np


def participation_of_row(row: np.ndarray) -> float:
    """Sum of fourth powers over the squared sum of second powers of the real Fourier amplitudes."""
    p = len(row)
    amplitudes = []
    for k in range(p // 2 + 1):
        wave = np.exp(-2j * np.pi * k * np.arange(p) / p)
        amplitudes.append(abs((wave * row).sum()))
    q = np.array(amplitudes)
    return float((q**4).sum() / (q**2).sum() ** 2)


def key_part(grid: np.ndarray, frequencies: list[int]) -> np.ndarray:
    """Projection of logits [a, b, c], seen as vectors over all (a, b), on cos and sin of 2 pi k (a + b) / p."""
    p = grid.shape[0]
    a, b = np.meshgrid(np.arange(p), np.arange(p), indexing="ij")
    part = np.zeros_like(grid)
    for k in frequencies:
        for wave in (np.cos(2 * np.pi * k * (a + b) / p), np.sin(2 * np.pi * k * (a + b) / p)):
            unit = wave / np.linalg.norm(wave)
            for c in range(grid.shape[2]):
                part[:, :, c] += unit * (unit * grid[:, :, c]).sum()
    return part


def mean_cross_entropy(grid: np.ndarray, where: np.ndarray) -> float:
    """Mean over the chosen pairs of the cross-entropy of (a + b) mod p."""
    p = grid.shape[0]
    losses = []
    for a in range(p):
        for b in range(p):
            if where[a, b]:
                z = grid[a, b]
                losses.append(np.log(np.exp(z - z.max()).sum()) + z.max() - z[(a + b) % p])
    return float(np.mean(losses))
