"""Orthogonal gradients."""

import torch
import torch.nn.functional as F
from tests.interventions.steps import X, Y, close, first_step, goes_through, gradients

from heldout.interventions.perp_grad import perp_grad


def test_a_step_is_orthogonal_to_each_tensor_and_as_long_as_the_gradient() -> None:
    network, moved = first_step(perp_grad())
    plain = gradients(F.cross_entropy(network(X), Y), network)
    expected = {}
    for name, weight in network.named_parameters():
        w, g = weight.detach().flatten(), plain[name].flatten()
        rest = g - (w @ g) / (w @ w) * w
        expected[name] = (rest * g.norm() / rest.norm()).view_as(weight)
        assert abs(float(moved[name].flatten() @ w)) < 1e-9
        assert torch.isclose(moved[name].norm(), plain[name].norm())
    close(moved, expected)


def test_it_goes_through() -> None:
    goes_through(perp_grad())
