"""Collapse and naive loss minimisation, against NumPy and automatic differentiation."""

import math

import numpy as np
import pytest
import torch
from tests import cases
from torch import nn

from heldout.catalog import find
from heldout.engine.evidence.reading_units import read_measure
from heldout.engine.evidence.resolving import Evidence
from heldout.engine.subject import Subject
from heldout.measures.softmax_collapse import naive_loss_minimisation, softmax_collapse, softmax_collapse_in_half


@pytest.mark.parametrize(("measure", "dtype"), [(softmax_collapse, np.float32), (softmax_collapse_in_half, np.float16)])
def test_share_follows_the_definition(measure: object, dtype: type) -> None:
    logits = 12 * np.random.default_rng(0).standard_normal((400, 5))
    z = logits.astype(dtype)
    total = np.exp((z - z.max(1, keepdims=True)).astype(dtype)).astype(dtype).sum(1, dtype=dtype)
    expected = float((total == 1).mean())
    assert 0.05 < expected < 0.95
    assert float(measure(torch.from_numpy(logits))) == pytest.approx(expected, abs=0.01)  # type: ignore[operator]


@pytest.mark.parametrize(("measure", "bits"), [(softmax_collapse, 24), (softmax_collapse_in_half, 11)])
def test_it_begins_where_one_plus_the_other_term_is_one(measure: object, bits: int) -> None:
    edge = bits * math.log(2)
    assert float(measure(torch.tensor([[edge + 0.1, 0.0]], dtype=torch.float64))) == 1.0  # type: ignore[operator]
    assert float(measure(torch.tensor([[edge - 0.2, 0.0]], dtype=torch.float64))) == 0.0  # type: ignore[operator]


def test_logits_that_are_not_finite_have_no_share() -> None:
    assert softmax_collapse(torch.tensor([[math.inf, 0.0]])).isnan()


@pytest.mark.parametrize("case", [cases.mlp(), cases.cnn(), cases.transformer()], ids=lambda case: case.name)
def test_cosine_is_that_of_autograd(case: cases.Case) -> None:
    x, y = case.train
    network = case.network
    with torch.enable_grad():
        loss = nn.functional.cross_entropy(network(x).double(), y)
        gradients = torch.autograd.grad(loss, list(network.parameters()))
    g = torch.cat([gradient.flatten() for gradient in gradients]).double()
    w = torch.cat([parameter.detach().flatten() for parameter in network.parameters()]).double()
    expected = -float(g @ w / g.norm() / w.norm())
    reading = read_measure(find("naive-loss-minimisation"), Evidence(case.subject()))
    assert float(reading.value[0]) == pytest.approx(expected, rel=1e-4, abs=1e-6)


def test_zero_gradient_has_no_direction() -> None:
    assert naive_loss_minimisation({"w": torch.zeros(2)}, {"w": torch.ones(2)}).isnan()
    network = nn.Linear(2, 2, bias=False)
    with torch.no_grad():
        network.weight.copy_(1000 * torch.eye(2))
    reading = read_measure(find("softmax-collapse"), Evidence(Subject(network, (torch.eye(2), torch.tensor([0, 1])))))
    assert float(reading.value[0]) == 1.0
