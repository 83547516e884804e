"""Nodes of a stochastic block model: examples are numbers of nodes, and the graph is the network's."""

import numpy as np
import torch
from torch import Tensor

from heldout.catalog import dataset
from heldout.engine.numerics.block_models import block_model
from heldout.records import Refusal

Pair = tuple[Tensor, Tensor]


@dataset(
    source="Holland, Laskey and Leinhardt 1983; with features as in Esser, Vankadara and Ghoshdastidar 2021, section 4"
)
def stochastic_block_model(
    *,
    labelled: int = 300,
    nodes: int = 600,
    classes: int = 2,
    within: float = 0.05,
    between: float = 0.01,
    dimension: int = 8,
    noise: float = 1.0,
    seed: int = 0,
    split_seed: int = 0,
) -> tuple[Pair, Pair]:
    """Node numbers with their labels: those drawn at random to be labelled, and all others.

    Examples are node numbers because the graph and all features are known before any label is: the network holds them
    (``graph_convolutional`` with the same settings and ``graph_seed`` makes the same graph). The labelled nodes are a uniform draw
    without replacement, which is what the family ``graph`` of certificates assumes.

    Args:
        labelled: Nodes with a label, the training examples.
        nodes: Of the graph.
        classes: Of equal size.
        within: Probability of an edge within a class.
        between: Probability of an edge between classes.
        dimension: Of the features.
        noise: Deviation of a feature around its class's centre, which has length 1.
        seed: Of the graph, the features and the labels.
        split_seed: Of the draw of the labelled nodes alone.

    Returns:
        ``(nodes, y)`` for labelled and for all other nodes; both ``[N]`` of int64.

    Raises:
        Refusal: If no node would be labelled, or all of them.

    Example:
        >>> (seen, y), (unseen, _) = stochastic_block_model(labelled=4, nodes=10)
        >>> sorted(torch.cat([seen, unseen]).tolist()) == list(range(10)), y.shape
        (True, torch.Size([4]))
    """
    if not 1 <= labelled < nodes:
        raise Refusal(
            given=f"labelled was {labelled} of {nodes} nodes", expected="1 <= labelled < nodes", do="pass labelled=300"
        )
    graph = block_model(
        nodes=nodes, classes=classes, within=within, between=between, dimension=dimension, noise=noise, seed=seed
    )
    order = torch.from_numpy(np.random.default_rng([split_seed, seed, 7]).permutation(nodes))
    y = torch.from_numpy(graph.labels)[order]
    return (order[:labelled], y[:labelled]), (order[labelled:], y[labelled:])
