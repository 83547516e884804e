"""Anchors of probes on clouds of points, one probe after the other with SciPy's non-negative least squares."""

import numpy as np
from scipy.optimize import nnls


def anchored(points: np.ndarray, signs: np.ndarray, probes: np.ndarray) -> dict[str, np.ndarray]:
    """Squared length of the projection, and the two forms of the axes, for every probe ``[T]``.

    The forms are written as in Chou et al. 2025: ``b = t1' G1^+ t1`` and ``c = t1' (G1 + G0)^+ t1``, over the clouds that the
    probe touches.
    """
    clouds, each, entries = points.shape
    anchors, touched, lengths = [], [], []
    for y, t in zip(signs, probes, strict=True):
        generators = (y[:, None, None] * points).reshape(-1, entries)
        weights, left = nnls(generators.T, t)
        per_cloud = weights.reshape(clouds, each)
        total = per_cloud.sum(1)
        lengths.append(t @ t - left**2)
        touched.append(total > 1e-12)
        sums = np.einsum("pk,pkn->pn", per_cloud, points)
        anchors.append(np.where(total[:, None] > 1e-12, sums / np.maximum(total, 1e-300)[:, None], np.nan))
    stack, there = np.array(anchors), np.array(touched)
    centres = np.array([stack[there[:, i], i].mean(0) for i in range(clouds)])
    axes, damped = [], []
    for s, on, t in zip(stack, there, probes, strict=True):
        s1, s0 = (s - centres)[on], centres[on]
        heard = s1 @ t
        axes.append(heard @ np.linalg.pinv(s1 @ s1.T, rcond=1e-9, hermitian=True) @ heard)
        damped.append(heard @ np.linalg.pinv(s1 @ s1.T + s0 @ s0.T, rcond=1e-9, hermitian=True) @ heard)
    return {"whole": np.array(lengths), "axes": np.array(axes), "damped": np.array(damped), "centres": centres}


def ball_cone(radius: float, dimension: int) -> float:
    """Statistical dimension of the cone over a ball of that radius around a centre at distance 1, by a fine grid.

    A Gaussian splits into its part along the centre and the length r of the rest, a chi variable. Inside the cone all of its
    length counts, inside the polar cone none, and between them that along the nearest ray.
    """
    from scipy.stats import chi, norm

    along = np.linspace(-9, 9, 3001)[:, None]
    across = np.linspace(0, 9 + np.sqrt(dimension), 2001)[None]
    inside = across <= radius * along
    ray = np.maximum(along + radius * across, 0) ** 2 / (1 + radius**2)
    values = np.where(inside, along**2 + across**2, ray) * norm.pdf(along) * chi.pdf(across, dimension)
    return float(np.trapezoid(np.trapezoid(values, across[0], axis=1), along[:, 0]))
