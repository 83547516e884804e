"""Spectral densities of the curvature of the training loss, for the figure."""

import math

import numpy as np
import torch
from torch import Tensor

from heldout.catalog import profile
from heldout.engine.evidence.curvature_spectra import Quadrature

MEMBERS = 8  # more lines than these nobody tells apart
POINTS = 121  # of one curve
LEAST = 1e-4  # of the highest density: below that a curve is rounding
WIDTH = 1 / 60  # of the Gaussian that stands for an eigenvalue, against the range: what is closer is one hump


@profile(
    source="Ghorbani et al. 2019, arXiv 1901.10159, section 2: stochastic Lanczos quadrature, smoothed by a Gaussian"
)
def curvature_density(hessian_quadrature: Quadrature, ggn_quadrature: Quadrature) -> dict[str, np.ndarray]:
    r"""Density of the eigenvalues of Hessian and Gauss-Newton matrix, of the first eight members.

    The integral of a curve is 1; low and high are a standard error over the six random vectors away. A hump to the left of zero
    is negative curvature, which only the Hessian has.

    Args:
        hessian_quadrature: Nodes and weights ``[M, D, K]`` of the Hessian.
        ggn_quadrature: The same of the Gauss-Newton matrix.

    Returns:
        One row a member, matrix and eigenvalue where the density is more than a ten-thousandth of its highest.

    Example:
        One eigenvalue, 0, and a spectrum from 0 to 1: the curve is highest there.

        >>> nodes, weights = torch.tensor([[[0.0, 1.0]] * 2]), torch.tensor([[[1.0, 0.0]] * 2])
        >>> flat = Quadrature(nodes, weights, nodes, weights, size=2, examples=1)
        >>> table = curvature_density(flat, flat)
        >>> abs(round(float(table["eigenvalue"][table["density"].argmax()]), 2)), bool(table["eigenvalue"].max() < 0.1)
        (0.0, True)
    """
    parts = []
    for kind, found in (("Hessian", hessian_quadrature), ("Gauss-Newton", ggn_quadrature)):
        members = min(MEMBERS, len(found.values))
        grid, density, error = smoothed(found.values[:members], found.weights[:members])
        least = LEAST * density.amax(1, keepdim=True)
        columns = {
            "member": torch.arange(members, device=grid.device).unsqueeze(1).expand_as(grid),
            "eigenvalue": grid,
            "density": density,
            "low": torch.maximum(density - error, least),  # the axis is logarithmic
            "high": density + error,
        }
        seen = {name: column[density > least].cpu().numpy() for name, column in columns.items()}
        parts.append({**seen, "matrix": np.repeat(kind, len(seen["density"]))})
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def smoothed(values: Tensor, weights: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Nodes with weights as a curve.

    Args:
        values: ``[M, D, K]``.
        weights: ``[M, D, K]``.

    Returns:
        Places, mean density there and its standard error over D, each ``[M, 121]``.
    """
    low, high = values.flatten(1).amin(1), values.flatten(1).amax(1)
    spread = (high - low).clamp(min=1e-12)  # a spectrum of one point is drawn all the same
    width = WIDTH * spread
    steps = torch.linspace(0, 1, POINTS, dtype=values.dtype, device=values.device)
    grid = (low - 3 * width).unsqueeze(1) + (spread + 6 * width).unsqueeze(1) * steps
    distance = (grid[:, None, :, None] - values.unsqueeze(2)) / width[:, None, None, None]
    kernel = torch.exp(-distance.square() / 2) / (math.sqrt(2 * math.pi) * width[:, None, None, None])
    curves = (kernel * weights.unsqueeze(2)).sum(3)
    return grid, curves.mean(1), curves.std(1) / curves.shape[1] ** 0.5
