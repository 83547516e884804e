"""Graph convolutional networks on a partly labelled graph: sizes and norms of what is known, path norms of what was learnt."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves

from heldout.catalog import evidence
from heldout.engine.population.graph_convolution import GraphConvolution
from heldout.engine.subject import Subject
from heldout.records import NotApplicable

Floats = np.ndarray
INSTEAD = "use the families held-out, compression or pac-bayes, which take any network"


@dataclass(frozen=True, slots=True, eq=False)
class LabelledGraph:
    """What is known of the graph before any label is, and of the architecture.

    Attributes:
        labelled: m.
        unlabelled: u, all other nodes.
        diffusion_norm: Largest absolute row or column sum of S, ``[M]``.
        data_norm: Frobenius norm of S X, ``[M]``.
        parameters: Weights of every layer.
        units: Hidden units of every layer but the last.
        classes: C, at least 2.
    """

    labelled: int
    unlabelled: int
    diffusion_norm: Floats
    data_norm: Floats
    parameters: tuple[int, ...]
    units: tuple[int, ...]
    classes: int


def is_graph_convolution(subject: Subject) -> None:
    """Demand a graph convolutional network, a classification, and one set of different nodes with some left over.

    Args:
        subject: What is under study.

    Raises:
        NotApplicable: With what is in the way.
    """
    template = subject.population.template
    if type(template) is not GraphConvolution:
        raise NotApplicable(
            f"the network is a {type(template).__name__}, and this bounds graph convolutional networks with a fixed diffusion",
            do="build it with graph_convolutional, whose inputs are node numbers",
        )
    if subject.loss.task != "classification":
        raise NotApplicable("this bounds 0-1 errors, and the task is a regression", do=INSTEAD)
    if subject.train.x_per_member:
        raise NotApplicable("every network has nodes of its own", do="certify them one by one")
    nodes, total = tree_leaves(subject.train.x)[0], subject.population.buffers["diffusion"].shape[1]
    if len(nodes.unique()) < len(nodes) or int(nodes.min()) < 0:
        raise NotApplicable(
            f"{len(nodes) - len(nodes.unique())} training nodes stand there twice, or a number is below 0, and the labelled nodes "
            "must be a draw without replacement",
            do="pass every labelled node once, by its number from 0",
        )
    if len(nodes) == total:
        raise NotApplicable(f"all {total} nodes have labels, and there is nothing left to bound", do="hold some back")


@evidence(requires=is_graph_convolution)
def labelled_graph(subject: Subject) -> LabelledGraph:
    """Sizes and norms that no label has touched."""
    buffers, named = subject.population.buffers, subject.population.parameters
    diffusion, diffused = buffers["diffusion"].double().abs(), buffers["diffused"].double()
    weights = [named[f"layers.{place}.weight"][0] for place in range(len(named))]
    nodes = len(subject.train)
    return LabelledGraph(
        labelled=nodes,
        unlabelled=diffusion.shape[1] - nodes,
        diffusion_norm=torch.maximum(diffusion.sum(1).amax(1), diffusion.sum(2).amax(1)).cpu().numpy(),
        data_norm=torch.linalg.matrix_norm(diffused).cpu().numpy(),
        parameters=tuple(int(weight.numel()) for weight in weights),
        units=tuple(len(weight) for weight in weights[:-1]),
        classes=max(2, len(weights[-1])),
    )


@evidence(requires=is_graph_convolution)
def graph_path_norms(subject: Subject) -> Floats:
    """Path norms ``[M]`` of one score, the largest; of two scores, of their difference; Euclidean at the first layer."""
    named = subject.population.parameters
    weights: list[Tensor] = [named[f"layers.{place}.weight"].double() for place in range(len(named))]
    if weights[-1].shape[1] == 2:
        weights[-1] = weights[-1][:, 1:] - weights[-1][:, :1]
    norms = weights[0].norm(dim=2)  # [M, units]
    for weight in weights[1:]:
        norms = (weight.abs() @ norms.unsqueeze(2)).squeeze(2)
    return np.asarray(norms.amax(1).cpu().numpy())
