"""Graphs with blocks: nodes of several classes, an edge likelier within a class, features around the classes' centres."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from heldout.records import Refusal


@dataclass(frozen=True, slots=True, eq=False)
class BlockModel:
    """One graph.

    Attributes:
        adjacency: ``[N, N]``, 0 and 1, symmetric, no node its own neighbour, float32.
        features: ``[N, d]``, float32.
        labels: ``[N]``, int64, in random order.
    """

    adjacency: NDArray[np.float32]
    features: NDArray[np.float32]
    labels: NDArray[np.int64]


def block_model(
    *,
    nodes: int = 600,
    classes: int = 2,
    within: float = 0.05,
    between: float = 0.01,
    dimension: int = 8,
    noise: float = 1.0,
    seed: int = 0,
) -> BlockModel:
    r"""Draw a graph: :math:`P[i \sim j] = p` for equal classes and q for others, :math:`x_i = \mu_{y_i} + \sigma g_i`.

    The centres are random directions of length 1. Classes are as equal in size as they can be.

    Args:
        nodes: N.
        classes: C.
        within: p.
        between: q.
        dimension: d.
        noise: sigma.
        seed: Of everything; edges, features and labels have streams of their own.

    Returns:
        The graph with features and labels.

    Raises:
        Refusal: If p or q is no probability, or there are fewer nodes than classes, fewer than two classes or no features.

    Example:
        >>> graph = block_model(nodes=6, within=1.0, between=0.0)
        >>> sorted(int(degree) for degree in graph.adjacency.sum(1))
        [2, 2, 2, 2, 2, 2]
    """
    for name, chance in (("within", within), ("between", between)):
        if not 0 <= chance <= 1:
            raise Refusal(given=f"{name} was {chance}", expected="a probability", do=f"pass {name}=0.05")
    if not 2 <= classes <= nodes or dimension < 1 or not noise >= 0:
        raise Refusal(
            given=f"classes was {classes}, nodes {nodes}, dimension {dimension}, noise {noise}",
            expected="2 <= classes <= nodes, at least one dimension, noise of 0 or more",
            do="pass nodes=600, classes=2, dimension=8, noise=1.0",
        )
    order, edges, points = (np.random.default_rng([seed, stream]) for stream in range(3))
    labels = order.permutation(np.arange(nodes) % classes)
    chances = np.where(labels[:, None] == labels[None], within, between)
    upper = np.triu(edges.random((nodes, nodes)) < chances, 1)
    centres = points.standard_normal((classes, dimension))
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    features = centres[labels] + noise * points.standard_normal((nodes, dimension))
    return BlockModel((upper | upper.T).astype(np.float32), features.astype(np.float32), labels.astype(np.int64))
