"""Weight matrices, their norms and the norms of layers as operators, typed from the definitions in float64 with NumPy."""

import numpy as np
import torch
from torch import nn

Matrices = dict[str, np.ndarray]


def weight_matrices(network: nn.Module) -> Matrices:
    """Every weight with two or more axes as (out, the rest); in a chain, a norm is folded into the layer before it."""
    matrices = {}
    children = dict(network.named_children())
    for name, weight in network.named_parameters():
        if weight.ndim < 2:
            continue
        matrix = weight.detach().double().numpy().reshape(weight.shape[0], -1)
        layer = name.removesuffix(".weight")
        following = children.get(str(int(layer) + 1)) if layer.isdigit() else None
        if isinstance(following, (nn.BatchNorm1d, nn.BatchNorm2d)):
            scale = following.weight.detach().double() / torch.sqrt(following.running_var.double() + following.eps)
            matrix = scale.numpy()[:, None] * matrix
        matrices[name] = matrix
    return matrices


def spectral(matrices: Matrices) -> np.ndarray:
    """||W_j||_2 of every layer."""
    return np.array([np.linalg.norm(matrix, 2) for matrix in matrices.values()])


def frobenius(matrices: Matrices) -> np.ndarray:
    """||W_j||_F of every layer."""
    return np.array([np.sqrt(np.sum(matrix**2)) for matrix in matrices.values()])


def measures(final: Matrices, initial: Matrices, gamma: float) -> dict[str, float]:
    """Equations (29)-(42) of Jiang et al. 2020, section 1.2 of the digest, and what stands beside them."""
    moved = {name: final[name] - initial[name] for name in final}
    s, f, d = spectral(final), frobenius(final), len(final)
    product, products = np.prod(s**2), np.prod(f**2)
    return {
        "prod-of-spec": product,
        "log-prod-of-spec": np.log(product),
        "prod-of-spec-over-margin": product / gamma**2,
        "spec-orig-main": product / gamma**2 * np.sum(f**2 / s**2),
        "spec-init-main": product / gamma**2 * np.sum(frobenius(moved) ** 2 / s**2),
        "stable-rank": np.sum(f**2 / s**2),
        "mean-stable-rank": np.mean(f**2 / s**2),
        "sum-of-spec": d * product ** (1 / d),
        "sum-of-spec-over-margin": d * (product / gamma**2) ** (1 / d),
        "prod-of-fro": products,
        "log-prod-of-fro": np.log(products),
        "prod-of-fro-over-margin": products / gamma**2,
        "log-prod-of-fro-over-margin": np.log(products / gamma**2) if gamma > 0 else np.nan,
        "sum-of-fro": d * products ** (1 / d),
        "sum-of-fro-over-margin": d * (products / gamma**2) ** (1 / d),
        "param-norm": np.sum(f**2),
        "fro-distance": np.sum(frobenius(moved) ** 2),
        "dist-spec-init": np.sum(spectral(moved) ** 2),
        "relative-distance": np.sqrt(np.sum(frobenius(moved) ** 2) / np.sum(frobenius(initial) ** 2)),
        "log-spectral-norm": np.mean(np.log10(s**2)),
    }


def operator(layer: nn.Module, shape: tuple[int, ...]) -> np.ndarray:
    """The matrix of a layer's linear part: its answers to the unit vectors of the input space, less its answer to zero."""
    size = int(np.prod(shape))
    with torch.no_grad():
        columns = layer(torch.eye(size, dtype=torch.float64).reshape(size, *shape)).flatten(1)
        return (columns - layer(torch.zeros(1, *shape, dtype=torch.float64)).flatten(1)).T.numpy()
