"""The class of a graph convolution: norms by NumPy, labellings by counting, and what it is not about."""

import math

import numpy as np
import pytest
import torch
from heldout.engine.population.graph_convolution import GraphConvolution
from tests import cases
from torch import nn

from heldout.engine.evidence.resolving import Evidence
from heldout.engine.numerics.paired_nodes import hidden_weights
from heldout.engine.subject import Subject
from heldout.records import NotApplicable

NODES, Y = torch.arange(0, 12, 2), torch.tensor([0, 1, 0, 1, 1, 0])


def network(sizes: tuple[int, ...]) -> GraphConvolution:
    torch.manual_seed(0)
    s = torch.rand(12, 12)
    return GraphConvolution(s + s.T, torch.randn(12, 3), sizes)


def found(module: nn.Module, nodes: torch.Tensor = NODES):  # type: ignore[no-untyped-def]
    return Evidence(Subject(module, (nodes, Y)))["graph_class"]


def test_a_linear_convolution() -> None:
    module = network((3, 2))
    one = found(module)
    last = module.layers[0].weight.detach().double().numpy()
    norm = np.linalg.norm(last[1] - last[0])
    total = math.exp(one.log_complexity[0]) / 2 * math.sqrt(6 * 12) / np.linalg.norm(module.diffused.double().numpy())
    assert norm <= total <= norm * 2**0.25 * (1 + 1e-9)
    assert (one.labelled, one.others) == (6, 6)
    assert one.log_labellings == pytest.approx(math.log(sum(math.comb(12, i) for i in range(4))))


def test_a_hidden_layer() -> None:
    module = network((3, 4, 2))
    one = found(module)
    first, last = (layer.weight.detach().double().numpy() for layer in module.layers)
    kappa = 2 * math.sqrt(2) * np.linalg.norm(first, axis=1).max() * np.abs(last[1] - last[0]).sum()
    g = hidden_weights(module.diffusion.double().numpy(), module.diffused.double().numpy()).sum()
    exact = 2 * kappa * math.sqrt(g / (6 * 12))
    assert exact * (1 - 1e-9) <= math.exp(one.log_complexity[0]) <= exact * 2**0.5 * (1 + 1e-9)
    assert one.log_labellings == pytest.approx(12 * math.log(2))


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: found(network((3, 4, 4, 2))), "has 3 layers"),
        (lambda: found(network((3, 3))), "two classes, and there are 3"),
        (lambda: found(network((3, 2)), torch.tensor([0, 0, 1, 2, 3, 4])), "labelled twice"),
        (lambda: Evidence(cases.mlp().subject())["graph_class"], "the nodes of one graph"),
    ],
)
def test_what_it_is_not_about(make, said: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(NotApplicable, match=said):
        make()


def test_margins_of_labelled_nodes() -> None:
    module = network((3, 2))
    shares = Evidence(Subject(module, (NODES, Y)))["node_margin_shares"]
    scores = module(NODES).detach().double()
    margins = (scores[:, 1] - scores[:, 0]) * (2 * Y - 1)
    for level, share in zip(shares.levels, shares.shares[0], strict=True):
        assert share == pytest.approx(float((margins <= math.sqrt(2) ** level).double().mean()))
