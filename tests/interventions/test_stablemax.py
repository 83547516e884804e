"""StableMax."""

import torch
from tests.interventions.steps import X, Y, close, first_step, goes_through, gradients

from heldout.interventions.stablemax import stablemax


def reference(z: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    rows = []
    for row, label in zip(z, y, strict=True):
        s = torch.stack([v + 1 if v >= 0 else 1 / (1 - v) for v in row])
        rows.append(-torch.log(s[label] / s.sum()))
    return torch.stack(rows).mean()


def test_a_step_follows_the_formula() -> None:
    network, moved = first_step(stablemax())
    close(moved, gradients(reference(network(X), Y), network))


def test_it_goes_through() -> None:
    goes_through(stablemax())


def test_it_is_positive_monotone_and_continuous_at_zero_and_never_absorbed() -> None:
    z = torch.tensor([[-1e-9, 0.0], [1e-9, 0.0]], dtype=torch.float64)
    one = stablemax().losses(z, torch.tensor([0, 0]), z[:, 0], z[0, 0])
    assert torch.allclose(one, torch.full((2,), 2.0, dtype=torch.float64).log(), atol=1e-8)
    gap = torch.tensor([[1e4, -1e4]], dtype=torch.float16)
    assert float(stablemax().losses(gap, torch.tensor([0]), gap[:, 0], gap[0, 0])) > 0
