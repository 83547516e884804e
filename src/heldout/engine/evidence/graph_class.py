"""What is known of the class of graph convolutions that a network belongs to."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from heldout.catalog import evidence
from heldout.engine.numerics.capacity import log_sauer, log_sign_vectors
from heldout.engine.numerics.levels import risen
from heldout.engine.numerics.margin_bounds import MarginShares
from heldout.engine.numerics.paired_nodes import hidden_weights, linear_weights, log_complexity
from heldout.engine.population.graph_convolution import GraphConvolution
from heldout.engine.subject import Subject
from heldout.records import NotApplicable

BASE = 2**0.25  # of the levels of norms
LEVELS = np.arange(-40.0, 61.0)


@dataclass(frozen=True, slots=True, eq=False)
class GraphClass:
    """The class, norms at their levels.

    Attributes:
        log_complexity: Logarithm of the mean deviation at margin 1, at most, ``[M]``.
        price: Nats of the levels, ``[M]``.
        log_labellings: Logarithm of the labellings of the graph by any weights, at most.
        labelled: m.
        others: u.
    """

    log_complexity: NDArray[np.float64]
    price: NDArray[np.float64]
    log_labellings: float
    labelled: int
    others: int


def is_graph_network(subject: Subject) -> None:
    """Demand a graph convolution with two classes, trained on nodes that were drawn once each.

    Args:
        subject: What is under study.

    Raises:
        NotApplicable: Otherwise.
    """
    template = subject.population.template
    if type(template) is not GraphConvolution:
        raise NotApplicable(
            f"this is about graph convolutions on the nodes of one graph, and the network is a {type(template).__name__}",
            do="build it as heldout.engine.population.graph_convolution.GraphConvolution",
        )
    if subject.classes != 2:
        raise NotApplicable(
            f"this bound is for two classes, and there are {subject.classes}", do="ask of one class against the rest"
        )
    if subject.train.x_per_member or subject.train.y_per_member:
        raise NotApplicable("every network has nodes or labels of its own", do="certify them one by one")
    if len(template.layers) > 2:
        raise NotApplicable(
            f"the network has {len(template.layers)} layers, and this bound is for one or two", do="use fewer"
        )
    nodes = subject.train.x
    assert isinstance(nodes, Tensor)
    if len(set(nodes.tolist())) < len(nodes):
        raise NotApplicable("a node is labelled twice", do="draw nodes without replacement")
    if len(nodes) >= len(template.diffusion):
        raise NotApplicable("all nodes are labelled, so that none is left to speak of", do="leave some unlabelled")


@evidence(requires=is_graph_network)
def graph_class(subject: Subject) -> GraphClass:
    """Complexity of the class, from the graph the network holds and its weights' norms risen to their levels."""
    population = subject.population
    matrix, diffused = (population.buffers[name][0].double().cpu().numpy() for name in ("diffusion", "diffused"))
    labelled, others = len(subject.train), len(matrix) - len(subject.train)
    weights = {name: tensor.double().cpu().numpy() for name, tensor in population.parameters.items()}
    end = weights[f"layers.{len(population.template.layers) - 1}.weight"]
    last = end[:, 1] - end[:, 0]  # the margin is the difference of the two scores
    if len(population.template.layers) == 1:
        logs, price = risen(np.log(np.linalg.norm(last, axis=1)), BASE)
        complexity = log_complexity(np.exp(logs), linear_weights(diffused), labelled, others)
        labellings = log_sauer(len(matrix), diffused.shape[1])  # half-spaces through the origin
    else:
        columns, one = risen(np.log(np.linalg.norm(weights["layers.0.weight"], axis=2).max(1)), BASE)
        sums, two = risen(np.log(np.abs(last).sum(1)), BASE)
        kappa = 2 * 2**0.5 * np.exp(columns + sums)
        complexity = log_complexity(kappa, hidden_weights(matrix, diffused), labelled, others)
        price, n = one + two, len(matrix)
        first = weights["layers.0.weight"][0]
        # on which side every hidden unit is at every node, then the signs of polynomials of degree 2 in all weights
        labellings = log_sign_vectors(n * len(first), 1, first.size)
        labellings = min(labellings + log_sign_vectors(n, 2, first.size + last.shape[1]), n * float(np.log(2)))
    return GraphClass(complexity, price, labellings, labelled, others)


@evidence(requires=is_graph_network)
def node_margin_shares(margins: Tensor) -> MarginShares:
    """Shares of labelled nodes with margins up to each level."""
    ordered = np.sort(margins.double().cpu().numpy(), axis=1)
    cuts = np.exp(LEVELS * (np.log(2.0) / 2))
    counts = np.stack([np.searchsorted(row, cuts, side="right") for row in ordered])
    return MarginShares(LEVELS, counts / ordered.shape[1], ordered.shape[1])
