"""Noise on gradients."""

import pytest
import torch
import torch.nn.functional as F
from scipy import stats
from tests.interventions.steps import X, Y, first_step, goes_through, gradients
from torch import nn

from heldout.interventions.noisy_gradients import noisy_gradients
from heldout.records import Refusal


def wide() -> nn.Module:
    return nn.Sequential(nn.Linear(6, 900), nn.Tanh(), nn.Linear(900, 3)).double()


def test_the_noise_is_gaussian_of_the_scale() -> None:
    """Kolmogorov-Smirnov at 1e-7 with a fixed key: passes or fails for ever."""
    network, moved = first_step(noisy_gradients(scale=0.3), wide)
    plain = gradients(F.cross_entropy(network(X), Y), network)
    noise = torch.cat([(moved[name] - plain[name]).flatten() for name in moved]) / 0.3
    assert stats.kstest(noise.numpy(), "norm").pvalue > 1e-7


def test_it_goes_through() -> None:
    goes_through(noisy_gradients(scale=0.5), compiled=False)


@pytest.mark.slow
def test_it_goes_through_compiled() -> None:
    goes_through(noisy_gradients(scale=0.5))


def test_a_negative_scale_is_refused() -> None:
    with pytest.raises(Refusal, match="scale"):
        noisy_gradients(scale=-0.1)
