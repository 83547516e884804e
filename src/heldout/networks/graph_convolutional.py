"""Graph convolutional networks with a fixed diffusion matrix."""

from typing import Any

import torch
from torch import nn

from heldout.catalog import network
from heldout.engine.numerics.block_models import block_model
from heldout.engine.population.graph_convolution import GraphConvolution, diffusion_matrix
from heldout.records import Refusal


@network(source="Kipf and Welling 2017, equation 2; diffusions of Esser, Vankadara and Ghoshdastidar 2021, section 2")
def graph_convolutional(
    *,
    adjacency: Any = None,
    features: Any = None,
    diffusion: str = "normalised",
    residual: float = 0.5,
    widths: tuple[int, ...] = (16,),
    outputs: int = 2,
    nodes: int = 600,
    classes: int = 2,
    within: float = 0.05,
    between: float = 0.01,
    dimension: int = 8,
    noise: float = 1.0,
    graph_seed: int = 0,
) -> nn.Module:
    """``S relu(S X W_1) W_2`` and deeper: node numbers in, class scores out; the graph is part of the network.

    Without widths it is one linear layer on diffused features. Memory is that of a dense matrix of all pairs of nodes.

    Args:
        adjacency: The graph: a symmetric array or tensor, a SciPy sparse array, or a networkx graph; unless given, a stochastic
            block model is drawn from the settings below, which are those of the data set of that name.
        features: Of its nodes ``[N, d]``; unless given, those of the drawn graph.
        diffusion: S: ``none`` (the identity), ``plain`` (neighbours alone), ``self-loops``, ``normalised`` by degrees, or
            ``residual``: a share of the identity and the rest normalised.
        residual: That share.
        widths: Of the hidden layers.
        outputs: Classes, or 1 under the binary loss.
        nodes: Of the drawn graph.
        classes: Of the drawn graph.
        within: Of the drawn graph.
        between: Of the drawn graph.
        dimension: Of the drawn graph.
        noise: Of the drawn graph.
        graph_seed: Of the drawn graph.

    Returns:
        The untrained network.

    Raises:
        Refusal: If only one of graph and features is given, or they have different numbers of nodes.

    Example:
        >>> graph_convolutional(nodes=20)(torch.tensor([3, 5, 19])).shape
        torch.Size([3, 2])
    """
    if (adjacency is None) != (features is None):
        missing, there = ("features", "adjacency") if features is None else ("adjacency", "features")
        raise Refusal(given=f"{there} without {missing}", expected="both or neither", do=f"pass {missing} too")
    if adjacency is None:
        graph = block_model(
            nodes=nodes,
            classes=classes,
            within=within,
            between=between,
            dimension=dimension,
            noise=noise,
            seed=graph_seed,
        )
        adjacency, features = graph.adjacency, graph.features
    matrix, x = diffusion_matrix(adjacency, diffusion, residual=residual), torch.as_tensor(features).float()
    if x.ndim != 2 or len(x) != len(matrix):
        raise Refusal(
            given=f"features had the shape {tuple(x.shape)} for {len(matrix)} nodes",
            expected="a row of features a node",
            do="pass features of the shape (nodes, d)",
        )
    return GraphConvolution(matrix, x, (x.shape[1], *widths, outputs))
