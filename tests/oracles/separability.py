"""Davies-Bouldin, pooling and mixtures by loops in float64."""

import numpy as np


def davies_bouldin(x: np.ndarray, y: np.ndarray) -> float:
    """mean_i max_{j != i} (s_i + s_j) / |c_i - c_j| over the classes that occur."""
    classes = sorted(set(y.tolist()))
    centre = {c: x[y == c].mean(0) for c in classes}
    spread = {c: np.mean([np.linalg.norm(row - centre[c]) for row in x[y == c]]) for c in classes}
    worst = [
        max((spread[i] + spread[j]) / np.linalg.norm(centre[i] - centre[j]) for j in classes if j != i) for i in classes
    ]
    return float(np.mean(worst))


def max_pooled(image: np.ndarray, grid: int = 4) -> np.ndarray:
    """``[C, H, W]`` -> ``[C * h * w]``: maxima over a grid; cell k of g covers floor(kH/g) to ceil((k+1)H/g)."""
    _, height, width = image.shape
    rows, columns = min(grid, height), min(grid, width)
    cells = [
        [
            image[
                :,
                i * height // rows : -(-(i + 1) * height // rows),
                j * width // columns : -(-(j + 1) * width // columns),
            ].max(axis=(1, 2))
            for j in range(columns)
        ]
        for i in range(rows)
    ]
    return np.array(cells).transpose(2, 0, 1).ravel()
