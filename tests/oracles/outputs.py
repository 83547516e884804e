"""Readings of outputs, typed from the papers, one example after the other in float64; NumPy and SciPy only."""

import copy
import math
from typing import Any

import numpy as np
import torch
from scipy.stats import binomtest
from torch import nn


def outputs(network: nn.Module, x: Any) -> np.ndarray:
    """Outputs ``[N, ...]`` of a float64 copy of the network, called on one example at a time."""
    exact = copy.deepcopy(network).double().eval()
    leaf = next(iter(x.values())) if isinstance(x, dict) else x
    rows = []
    with torch.no_grad():
        for i in range(len(leaf)):
            if isinstance(x, dict):
                one = {k: v[i : i + 1] if not v.is_floating_point() else v[i : i + 1].double() for k, v in x.items()}
                rows.append(exact(**one)[0].numpy())
            else:
                rows.append(exact(x[i : i + 1].double())[0].numpy())
    return np.stack(rows)


def probabilities(z: np.ndarray) -> np.ndarray:
    """Softmax of one example's logits."""
    e = np.exp(z - z.max())
    return e / e.sum()


def cross_entropies(logits: np.ndarray, labels: Any) -> np.ndarray:
    """-ln p_y of every example."""
    return np.array([
        math.log(sum(math.exp(v - max(z)) for v in z)) + max(z) - z[int(y)] for z, y in zip(logits, labels, strict=True)
    ])


def errors(logits: np.ndarray, labels: Any) -> np.ndarray:
    """0-1 loss of every example."""
    return np.array([float(np.argmax(z) != int(y)) for z, y in zip(logits, labels, strict=True)])


def margins(logits: np.ndarray, labels: Any) -> np.ndarray:
    """True logit minus the largest of the others."""
    return np.array([
        z[int(y)] - max(v for k, v in enumerate(z) if k != int(y)) for z, y in zip(logits, labels, strict=True)
    ])


def neg_entropy(logits: np.ndarray) -> float:
    """Jiang et al. 2020, eq. (23)."""
    return float(np.mean([sum(p * math.log(p) for p in probabilities(z) if p > 0) for z in logits]))


def accuracy_interval(wrong: int, n: int) -> tuple[float, float]:
    """Clopper and Pearson's two-sided 95 % interval of the accuracy, by SciPy's beta quantiles."""
    interval = binomtest(n - wrong, n).proportion_ci(0.95, method="exact")
    return interval.low, interval.high


def clamped(logits: np.ndarray, labels: Any, p_min: float) -> np.ndarray:
    """Cross-entropy with probabilities clamped at p_min, divided by its largest value."""
    return np.minimum(cross_entropies(logits, labels), -math.log(p_min)) / -math.log(p_min)


def calibration_table(logits: np.ndarray, labels: Any, bins: int) -> list[tuple[int, float, float]]:
    """(examples, mean confidence, accuracy) of every bin ((b-1)/B, b/B] of confidence; NaN where it is empty."""
    members: list[list[tuple[float, float]]] = [[] for _ in range(bins)]
    for z, y in zip(logits, labels, strict=True):
        p = probabilities(z)
        for b in range(1, bins + 1):
            if (b - 1) / bins < p.max() <= b / bins:
                members[b - 1].append((p.max(), float(np.argmax(z) == int(y))))
    nothing = (0, math.nan, math.nan)
    return [
        (len(m), float(np.mean([c for c, _ in m])), float(np.mean([a for _, a in m]))) if m else nothing
        for m in members
    ]


def expected_calibration_error(logits: np.ndarray, labels: Any, bins: int) -> float:
    """Guo et al. 2017, eq. (3)."""
    return sum(n / len(logits) * abs(acc - conf) for n, conf, acc in calibration_table(logits, labels, bins) if n)


def brier_scores(logits: np.ndarray, labels: Any) -> np.ndarray:
    """Brier 1950, one score an example."""
    rows = zip(logits, labels, strict=True)
    return np.array([sum((p - (k == int(y))) ** 2 for k, p in enumerate(probabilities(z))) for z, y in rows])
