"""Clipped gradients."""

import pytest
import torch
import torch.nn.functional as F
from tests.interventions.steps import X, Y, close, first_step, goes_through

from heldout.interventions.gradient_clipping import gradient_clipping
from heldout.records import Refusal


@pytest.mark.parametrize("norm", [0.05, 100.0])
def test_a_step_is_that_of_torch_s_clipping(norm: float) -> None:
    network, moved = first_step(gradient_clipping(norm=norm))
    F.cross_entropy(network(X), Y).backward()
    torch.nn.utils.clip_grad_norm_(network.parameters(), norm)
    close(moved, {name: weight.grad for name, weight in network.named_parameters() if weight.grad is not None})


def test_it_goes_through() -> None:
    goes_through(gradient_clipping(norm=0.1))


def test_a_norm_of_nothing_is_refused() -> None:
    with pytest.raises(Refusal, match="norm"):
        gradient_clipping(norm=0.0)
