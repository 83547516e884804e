"""Mixup."""

import torch
import torch.nn.functional as F
from tests.interventions.steps import X, Y, close, first_step, goes_through, gradients

from heldout.engine.training.counting import keys, uniform
from heldout.interventions.mixup import mixup


def test_a_step_mixes_inputs_and_losses_with_one_partner_and_weight() -> None:
    network, moved = first_step(mixup())
    key = keys(7, torch.tensor([0]), 0)[0]
    weight, partner = float(uniform(key, (1,), 600_002)), uniform(key, (36,), 600_001).argsort()
    assert 0 < weight < 1
    assert sorted(partner.tolist()) == list(range(36))
    outputs = network(weight * X + (1 - weight) * X[partner])
    loss = weight * F.cross_entropy(outputs, Y) + (1 - weight) * F.cross_entropy(outputs, Y[partner])
    close(moved, gradients(loss, network), tolerance=1e-7)  # the weight has 24 bits


def test_weights_are_uniform_over_steps() -> None:
    """Mean of 4,000 uniforms: beyond 5.5 standard errors with probability 4e-8, fixed keys."""
    drawn = torch.stack([uniform(key, (1,), 600_002) for key in keys(0, torch.arange(4000), 3)])
    assert abs(float(drawn.mean()) - 0.5) < 5.5 / (12 * 4000) ** 0.5


def test_it_goes_through() -> None:
    goes_through(mixup())
