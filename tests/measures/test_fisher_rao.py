"""Fisher-Rao norms: closed forms of linear models and of networks without biases, and the two factors in use."""

import pytest
import torch
from tests import cases
from torch import nn

from heldout.catalog import find
from heldout.engine.evidence.reading_units import read_measure
from heldout.engine.evidence.resolving import Evidence
from heldout.engine.subject import Subject
from heldout.records import Status


def test_logistic_regression_on_one_number() -> None:
    # <w, grad> = w x (p - y) with p = 1 / (1 + exp(-w x)): at w = ln 3, x = +-1 and y = 1, p is 3/4 and 1/4
    layer = nn.Linear(1, 1, bias=False).double()
    layer.weight.data.fill_(torch.tensor(3.0).double().log())
    data = (torch.tensor([[1.0], [-1.0]]).double(), torch.tensor([1, 1]))
    evidence = Evidence(Subject(layer, data, loss="binary-cross-entropy"))
    expected = (0.25**2 + 0.75**2) / 2 * layer.weight.item() ** 2
    assert read_measure(find("fisher-rao-norm"), evidence).value.item() == pytest.approx(expected, rel=1e-12)
    assert read_measure(find("fisher-rao"), evidence).value.item() == pytest.approx(4 * expected, rel=1e-12)


def test_the_form_of_liang_with_gradients_in_the_outputs() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(6, 9, bias=False), nn.ReLU(), nn.Linear(9, 4, bias=False)).double()
    x, y = torch.randn(30, 6, generator=torch.Generator().manual_seed(1)).double(), torch.arange(30) % 4
    z = network(x).detach()
    by_outputs = ((z.softmax(1) - torch.eye(4)[y]) * z).sum(1).square().mean().item()
    evidence = Evidence(Subject(network, (x, y)))
    assert read_measure(find("fisher-rao-norm"), evidence).value.item() == pytest.approx(4 * by_outputs, rel=1e-9)
    assert read_measure(find("fisher-rao"), evidence).value.item() == pytest.approx(36 * by_outputs, rel=1e-9)


def test_it_is_never_above_what_cauchy_and_schwarz_allow() -> None:
    evidence = Evidence(cases.together([cases.mlp(seed) for seed in range(3)]))
    norm = read_measure(find("fisher-rao-norm"), evidence)
    squares = evidence["folded_vector"].square().sum(1) * evidence["gradient_norms"].square().mean(1)
    assert (norm.value <= squares.numpy()).all()
    assert norm.statuses == (Status.OK,) * 3
