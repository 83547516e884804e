"""Distances, changed pictures, label graphs and Jacobians, one example after the other in float64."""

import copy
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn


def distance(after: Callable[[Tensor], Tensor], h: Tensor, y: int) -> float:
    """(f_y - max_j f_j) / |gradient over h| of one example, by plain autograd; ``after`` goes from h to the scores."""
    point = h.detach().double().requires_grad_()
    with torch.enable_grad():
        scores = after(point.unsqueeze(0))[0]
        other = max((k for k in range(len(scores)) if k != y), key=lambda k: scores[k].item())
        lead = scores[y] - scores[other]
        (slope,) = torch.autograd.grad(lead, point)
    return lead.item() / math.sqrt((slope**2).sum().item())


def exact(network: nn.Module) -> Any:
    """A float64 copy in evaluation mode."""
    return copy.deepcopy(network).double().eval()


def variances(features: np.ndarray) -> list[float]:
    """Population variance of every feature, ``[n, F]`` -> F numbers."""
    return [sum((v - sum(c) / len(c)) ** 2 for v in c) / len(c) for c in features.reshape(len(features), -1).T.tolist()]


def trimmed_mean(values: list[float], share: float) -> float:
    """Mean without a share of the smallest and of the largest, rounded down."""
    cut = int(share * len(values))
    kept = sorted(values)[cut : len(values) - cut]
    return sum(kept) / len(kept)


def entry_five(d: np.ndarray) -> float:
    """Mean of the winners' five numbers."""
    q1, q2, q3 = np.percentile(d, [25, 50, 75])
    below, above = d[d < q1 - 1.5 * (q3 - q1)], d[d > q3 + 1.5 * (q3 - q1)]
    low = below.max() if len(below) else d.min()
    high = above.min() if len(above) else d.max()
    return float(np.mean([low, q1, q2, q3, high]))


def saturate(pixel: tuple[float, float, float], factor: float) -> list[float]:
    """Saturation in HSV by the standard library."""
    import colorsys

    hue, saturation, value = colorsys.rgb_to_hsv(*pixel)
    return list(colorsys.hsv_to_rgb(hue, min(1.0, saturation * factor), value))


def sobel(image: np.ndarray) -> np.ndarray:
    """Horizontal Sobel differences of ``[H, W]``, the picture mirrored at its edges without repeating them."""
    padded = np.pad(image, 1, mode="reflect")
    height, width = image.shape
    out = np.zeros_like(image)
    for i in range(height):
        for j in range(width):
            window = padded[i : i + 3, j : j + 3]
            out[i, j] = (window[:, 2] - window[:, 0]) @ np.array([1.0, 2.0, 1.0])
    return out


def bilinear(image: np.ndarray, row: float, column: float) -> float:
    """The picture between its pixel centres, edges repeated."""
    height, width = image.shape
    row, column = min(max(row, 0.0), height - 1.0), min(max(column, 0.0), width - 1.0)
    top, left = int(min(row, height - 2)), int(min(column, width - 2))
    a, b = row - top, column - left
    upper = (1 - b) * image[top, left] + b * image[top, left + 1]
    lower = (1 - b) * image[top + 1, left] + b * image[top + 1, left + 1]
    return float((1 - a) * upper + a * lower)


def resized(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """Enlarged so that areas of pixels meet: pixel i of n out of m has its centre at (i + 1/2) m / n - 1/2."""
    rows, columns = image.shape
    return np.array([
        [bilinear(image, (i + 0.5) * rows / height - 0.5, (j + 0.5) * columns / width - 0.5) for j in range(width)]
        for i in range(height)
    ])


def zoomed(image: np.ndarray, scale: float) -> np.ndarray:
    """The middle enlarged so that its corners meet the corners."""
    height, width = image.shape
    return np.array([
        [
            bilinear(image, (height - 1) * (0.5 + scale * (i / (height - 1) - 0.5)),
                     (width - 1) * (0.5 + scale * (j / (width - 1) - 0.5)))
            for j in range(width)
        ]
        for i in range(height)
    ])  # fmt: skip


def label_variation(features: np.ndarray, labels: np.ndarray) -> float:
    """tr(Y' L Y) / n with the Laplacian D - A written out; A joins each point to the one of largest cosine, half either way."""
    n = len(features)
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    adjacency = np.zeros((n, n))
    for i in range(n):
        nearest = max((j for j in range(n) if j != i), key=lambda j: unit[i] @ unit[j])
        adjacency[i, nearest] += 0.5
        adjacency[nearest, i] += 0.5
    laplacian = np.diag(adjacency.sum(1)) - adjacency
    return float(np.trace(labels.T @ laplacian @ labels) / n)


def jacobian_norm(network: nn.Module, x: Tensor, *, softmax: bool) -> float:
    """Frobenius norm of one example's Jacobian, written out."""
    model = exact(network)

    def said(point: Tensor) -> Tensor:
        outputs = model(point.unsqueeze(0))[0]
        return outputs.softmax(-1) if softmax else outputs

    return float(torch.autograd.functional.jacobian(said, x.double()).pow(2).sum().sqrt())
