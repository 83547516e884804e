"""Problems of known risk for the simulator: boxes that Pick-to-Learn grows around points until they hold all, or it must stop."""

import numpy as np
from numpy.typing import NDArray

from heldout.engine.evidence.picking import Picked

EXAMPLES, DIMENSIONS = 40, 3


def boxes(generator: np.random.Generator, problems: int) -> tuple[Picked, NDArray[np.float64]]:
    """Points of the unit cube, all of one class, and the box around those that were picked.

    The worst-handled point is the farthest outside on any side; a point outside is an error. So the risk is the volume left out.
    Picking stops when nothing is outside, or at a size that is the problem's own and no sample's: 1 to 9.

    Args:
        generator: Randomness.
        problems: M.

    Returns:
        What was picked, and the true risks ``[M]``.
    """
    points = generator.random((problems, EXAMPLES, DIMENSIONS))
    largest = generator.integers(1, 10, size=problems)
    low = np.full((problems, DIMENSIONS), 0.5)
    high, kept, rows = low.copy(), np.zeros(problems, dtype=np.int64), np.arange(problems)
    while True:
        outside = np.maximum(points - high[:, None], low[:, None] - points).max(-1)
        worst = outside.argmax(1)
        grows = (outside[rows, worst] > 0) & (kept < largest)
        if not grows.any():
            break
        point = points[rows, worst]
        low = np.where(grows[:, None], np.minimum(low, point), low)
        high = np.where(grows[:, None], np.maximum(high, point), high)
        kept += grows
    return Picked(kept, (outside > 0).sum(1), EXAMPLES), 1 - (high - low).prod(1)
