"""Ledgers with a known answer, shared by the tests of criteria."""

import numpy as np

from heldout.engine.judging import Design, designed


def grid(levels: tuple[int, ...], seeds: int) -> Design:
    codes = np.repeat(
        np.array(np.meshgrid(*map(np.arange, levels), indexing="ij")).reshape(len(levels), -1).T, seeds, 0
    )
    return designed({f"axis{i}": column for i, column in enumerate(codes.T)})


def small(seed: int = 0, ties: bool = True) -> tuple[Design, np.ndarray, np.ndarray]:
    """A 3 x 2 x 2 grid of two seeds, four measures with some ties, and a gap."""
    design, draws = grid((3, 2, 2), 2), np.random.default_rng(seed)
    gap = draws.normal(size=design.networks) + design.codes[:, 0]
    measures = np.stack([
        gap + draws.normal(size=len(gap)),
        draws.normal(size=len(gap)),
        design.codes[:, 1] * 1.0,
        -gap,
    ])
    if ties:
        gap = np.round(gap, 1)
        measures = np.round(measures, 1)
    return design, measures, gap


def once(design: Design) -> np.ndarray:
    return np.ones((1, design.networks))
