"""The random-label probe on softmax regression, whose gradients are written down by hand."""

import numpy as np
import pytest
import torch
from torch import nn

from heldout.catalog import find
from heldout.engine.evidence.noise_fitting import DRAWS, PROBES
from heldout.engine.evidence.reading_units import read_measure
from heldout.engine.evidence.resolving import Evidence
from heldout.engine.population import stream
from heldout.engine.subject import Subject
from heldout.measures.random_label_probe import random_label_probe
from heldout.records import Status

PROBE = find("random-label-probe")


def subject() -> Subject:
    drawn = torch.Generator().manual_seed(0)
    x = 1.0 + torch.randn(50, 4, generator=drawn)
    layer = nn.Linear(4, 3)
    with torch.no_grad():
        layer.weight.copy_(torch.randn(3, 4, generator=drawn))
        layer.bias.copy_(torch.randn(3, generator=drawn))
    return Subject(layer, (x, torch.arange(50) % 3))


@pytest.mark.parametrize("seed", [0, 7])
def test_softmax_regression_by_hand(seed: int) -> None:
    of = subject()
    w, b = (of.population.parameters[name][0].double().numpy() for name in ("weight", "bias"))
    x = np.c_[of.train.x.double().numpy(), np.ones(50)]
    chosen = torch.randperm(50, generator=stream(seed, "noise fitting")).numpy()
    x = x[chosen]
    theta = np.c_[w, b]
    scores = np.exp(x @ theta.T)
    p = scores / scores.sum(1, keepdims=True)
    rates = []
    for draw in range(DRAWS):
        labels = torch.randint(3, (50,), generator=stream(seed, "random labels", draw)).numpy()
        own = (p - np.eye(3)[labels]).T @ x / 50
        even = (p - 1 / 3).T @ x / 50
        rates.append(0.01 * np.linalg.norm(theta) * (own * (own - even)).sum() / np.linalg.norm(own))
    reading = read_measure(PROBE, Evidence(of, seed=seed))
    assert reading.value.item() == pytest.approx(np.mean(rates), rel=1e-5)
    assert reading.standard_error.item() == pytest.approx(np.std(rates, ddof=1) / np.sqrt(DRAWS), rel=1e-4)


def test_the_step_takes_off_what_is_said() -> None:
    """A tiny step along the gradient lowers the loss of its labels more than that of all; the reading is the difference."""
    of = subject()
    weights = [tensor[0].double().requires_grad_() for tensor in of.population.parameters.values()]
    x = of.train.x.double()[torch.randperm(50, generator=stream(0, "noise fitting"))]
    gains = []
    for draw in range(DRAWS):
        labels = torch.randint(3, (50,), generator=stream(0, "random labels", draw))

        def losses(w: torch.Tensor, b: torch.Tensor, labels: torch.Tensor = labels) -> torch.Tensor:
            logs = -(x @ w.T + b).log_softmax(1)
            return torch.stack([logs[torch.arange(50), labels].mean(), logs.mean()])

        gradient = torch.autograd.grad(losses(*weights)[0], weights)
        length, step = (torch.cat([t.flatten() for t in part]).norm() for part in (weights, gradient))
        moved = [w - 1e-4 * length / step * g for w, g in zip(weights, gradient, strict=True)]
        own, even = (losses(*weights) - losses(*moved)).tolist()
        gains.append(100 * (own - even))  # of a hundredth, not of a ten-thousandth
    assert read_measure(PROBE, Evidence(of)).value.item() == pytest.approx(np.mean(gains), rel=0.02)


def test_inputs_that_are_all_zero_give_no_gradient_and_no_number() -> None:
    layer = nn.Linear(2, 2, bias=False)
    reading = read_measure(PROBE, Evidence(Subject(layer, (torch.zeros(4, 2), torch.arange(4) % 2))))
    assert reading.statuses[0] is Status.UNDEFINED


def test_only_so_many_inputs_are_labelled() -> None:
    of = subject()
    many = Subject(of.population, (torch.cat([of.train.x] * 4), torch.cat([of.train.y] * 4)))
    evidence = Evidence(many)
    read_measure(PROBE, evidence)
    assert many.population.tally.backward == (1 + DRAWS) * PROBES


def test_one_draw_each() -> None:
    assert random_label_probe(torch.tensor([2.0, 4.0])).value.item() == 3.0


def test_a_regression_has_no_labels_to_draw() -> None:
    layer = nn.Linear(2, 1)
    reading = read_measure(PROBE, Evidence(Subject(layer, (torch.eye(2), torch.ones(2)), loss="squared-error")))
    assert "no classes" in reading.reasons[0]
