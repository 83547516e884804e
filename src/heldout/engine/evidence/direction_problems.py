"""Problems of known risk for bounds by norms and margins: directions in the plane, labels by a fair coin."""

from math import sqrt
from typing import Any

import numpy as np

from heldout.engine.evidence.layer_norms import LayerNorms
from heldout.engine.numerics.margin_bounds import MarginShares


def random_directions(generator: np.random.Generator, problems: int) -> tuple[dict[str, Any], np.ndarray]:
    """Problems of known risk: labels by a fair coin, 20,000 examples on a circle, the direction of 64 that errs least.

    Args:
        generator: Randomness.
        problems: How many.

    Returns:
        Evidence by name, and the true risks.
    """
    angles = (np.arange(64) + 0.5) * (2 * np.pi / 64)
    points = np.stack([np.cos(angles), np.sin(angles)])
    counts = generator.multinomial(20000, np.full(128, 1 / 128), size=problems)
    directions = np.stack([np.cos(angles - 0.01), np.sin(angles - 0.01)])  # no example on a boundary
    scores = 2 * directions.T @ points  # the margin of a point with the label 1 by scores w.x and -w.x
    margins = np.concatenate([scores, -scores], axis=1)  # [64, 128]
    chosen = (counts @ (margins <= 1.0).T).argmin(1)
    levels = np.arange(-20.0, 6.0)
    shares = np.stack([(counts * (margins[chosen] <= sqrt(2.0) ** level)).sum(1) for level in levels], axis=1) / 20000
    one = np.ones((problems, 1))
    norms = LayerNorms(
        sqrt(2) * one, sqrt(2) * one, 2 * one, sqrt(2) * one, one[:, 0], sqrt(20000), sqrt(10000), 1.0, 2, 2, 2, 20000
    )
    return {"layer_norms": norms, "margin_shares": MarginShares(levels, shares, 20000)}, np.full(problems, 0.5)
