"""Mixup."""

import pytest
import torch
import torch.nn.functional as F
from scipy import stats
from tests.interventions.steps import X, Y, close, first_step, goes_through, gradients

from heldout.engine.training.counting import keys, uniform
from heldout.interventions.mixup import mixup, symmetric_beta
from heldout.records import Refusal


@pytest.mark.parametrize("alpha", [1.0, 0.3])
def test_a_step_mixes_inputs_and_losses_with_one_partner_and_weight(alpha: float) -> None:
    network, moved = first_step(mixup(alpha=alpha))
    key = keys(7, torch.tensor([0]), 0)[0]
    weight, partner = float(symmetric_beta(key, alpha)), uniform(key, (36,), 600_001).argsort()
    assert 0 < weight < 1
    assert sorted(partner.tolist()) == list(range(36))
    outputs = network(weight * X + (1 - weight) * X[partner])
    loss = weight * F.cross_entropy(outputs, Y) + (1 - weight) * F.cross_entropy(outputs, Y[partner])
    close(moved, gradients(loss, network))


@pytest.mark.parametrize("alpha", [0.1, 0.4, 1.0, 3.0])
def test_weights_follow_the_beta_distribution_over_members_and_steps(alpha: float) -> None:
    """Kolmogorov's test on 4,000 numbers of fixed keys, refused at one in 10^7."""
    drawn = torch.vmap(lambda key: symmetric_beta(key, alpha))(
        torch.cat([keys(0, torch.arange(2000), s) for s in (3, 4)])
    )
    assert stats.kstest(drawn.flatten().numpy(), stats.beta(alpha, alpha).cdf).pvalue > 1e-7


def test_weight_and_order_are_not_the_same_stream() -> None:
    weights = torch.cat([symmetric_beta(key, 1.0) for key in keys(0, torch.arange(400), 0)])
    firsts = torch.stack([uniform(key, (8,), 600_001)[0] for key in keys(0, torch.arange(400), 0)])
    assert abs(float(torch.corrcoef(torch.stack([weights, firsts.double()]))[0, 1])) < 5.5 / 400**0.5


def test_it_goes_through() -> None:
    goes_through(mixup(alpha=0.5), compiled=False)


@pytest.mark.slow
def test_it_goes_through_compiled() -> None:
    goes_through(mixup(alpha=0.5))


def test_alpha_must_be_positive() -> None:
    with pytest.raises(Refusal, match="alpha"):
        mixup(alpha=0.0)
