"""Graph convolution with a fixed diffusion matrix: the module, and the matrices."""

import itertools
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from heldout.records import Refusal

DIFFUSIONS = ("none", "plain", "self-loops", "normalised", "residual")


class NodeWeights(nn.Module):
    """A linear map without bias, of all nodes at once.

    It is no ``nn.Linear`` because what enters has a row a node and not a row an example: whoever takes gradients or norms of dense
    layers example by example must not find one here.

    Args:
        before: Entries that enter.
        after: Entries that leave.
    """

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(after, before))
        nn.init.kaiming_uniform_(self.weight, a=5**0.5)  # as dense layers begin

    def forward(self, x: Tensor) -> Tensor:
        """Map.

        Args:
            x: ``[nodes, before]``.

        Returns:
            ``[nodes, after]``.
        """
        return x @ self.weight.T


class GraphConvolution(nn.Module):
    r"""``f = S relu(... S relu(S X W_1) ...) W_L`` at the nodes it is asked for; graph and features are its buffers.

    An input is a node's number, so that nodes are examples like any others. Layers have no biases: a feature that is 1 everywhere
    serves as one, and the norm of the function is then that of one chain of matrices.

    Args:
        diffusion: S, ``[N, N]``.
        features: X, ``[N, d]``.
        sizes: d, the widths, and the number of outputs.
    """

    def __init__(self, diffusion: Tensor, features: Tensor, sizes: tuple[int, ...]) -> None:
        super().__init__()
        self.diffusion: Tensor
        self.diffused: Tensor
        self.register_buffer("diffusion", diffusion)
        self.register_buffer("diffused", diffusion @ features)
        pairs = itertools.pairwise(sizes)
        self.layers = nn.ModuleList(NodeWeights(before, after) for before, after in pairs)

    def forward(self, nodes: Tensor) -> Tensor:
        """Scores of some nodes.

        Args:
            nodes: Their numbers, ``[n]`` whole.

        Returns:
            ``[n, C]``.
        """
        hidden, diffusion = self.diffused, self.diffusion
        *inner, last = self.layers
        for place, layer in enumerate(inner, start=1):
            # the last diffusion is needed at the nodes that were asked for, and nowhere else
            rows = diffusion[nodes] if place == len(inner) else diffusion
            hidden = rows @ torch.relu(layer(hidden))
        scores: Tensor = last(hidden if inner else hidden[nodes])
        return scores


def diffusion_matrix(adjacency: Any, kind: str, *, residual: float = 0.5) -> Tensor:
    r"""S of a graph: I, A, A + I, :math:`D^{-1/2} (A + I) D^{-1/2}`, or :math:`\alpha I + (1-\alpha)` times the last.

    Args:
        adjacency: A: a square symmetric array or tensor without negative entries, a SciPy sparse array, or a networkx graph, whose
            nodes are numbered in its own order.
        kind: Of :data:`DIFFUSIONS`.
        residual: alpha.

    Returns:
        ``[N, N]``, float32.

    Raises:
        Refusal: If the kind is not known, alpha is not in [0, 1], or the matrix is none of a graph.

    Example:
        >>> diffusion_matrix([[0, 1], [1, 0]], "normalised").tolist()
        [[0.5, 0.5], [0.5, 0.5]]
    """
    if kind not in DIFFUSIONS:
        raise Refusal(
            given=f"diffusion was {kind!r}", expected=f"one of {', '.join(DIFFUSIONS)}", do="choose one of these"
        )
    if not 0 <= residual <= 1:
        raise Refusal(given=f"residual was {residual}", expected="a share from 0 to 1", do="pass residual=0.5")
    a = adjacency_matrix(adjacency)
    one = np.eye(len(a))
    looped = a + one
    root = 1 / np.sqrt(looped.sum(1))
    normalised = root[:, None] * looped * root[None]
    found = {
        "none": one,
        "plain": a,
        "self-loops": looped,
        "normalised": normalised,
        "residual": residual * one + (1 - residual) * normalised,
    }[kind]
    return torch.from_numpy(found).float()


def adjacency_matrix(graph: Any) -> np.ndarray[Any, np.dtype[np.float64]]:
    """A graph in one of its usual forms as a matrix.

    Args:
        graph: As in :func:`diffusion_matrix`; of a networkx graph, ``weight`` is the edge's entry, 1 where there is none.

    Returns:
        ``[N, N]``, float64.

    Raises:
        Refusal: If it is not square and symmetric, or an entry is negative or not finite.
    """
    if hasattr(graph, "nodes") and hasattr(graph, "edges"):
        place = {node: number for number, node in enumerate(graph.nodes())}
        a = np.zeros((len(place), len(place)))
        for one, other, weight in graph.edges(data="weight", default=1.0):
            a[place[one], place[other]] = weight
            if not graph.is_directed():
                a[place[other], place[one]] = weight
    else:
        dense = graph.toarray() if hasattr(graph, "toarray") else graph
        a = np.asarray(dense.detach().cpu() if isinstance(dense, Tensor) else dense, dtype=np.float64)
    if a.ndim != 2 or a.shape[0] != a.shape[1] or not np.array_equal(a, a.T) or not (np.isfinite(a) & (a >= 0)).all():
        raise Refusal(
            given=f"adjacency had the shape {a.shape}, or was not symmetric, or had negative or infinite entries",
            expected="a square symmetric matrix of non-negative weights",
            do="pass an undirected graph: (a + a.T) / 2 of a directed one",
        )
    return a
