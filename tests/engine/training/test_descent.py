"""Stacked descent against an ordinary PyTorch loop, one network at a time."""

import copy

import pytest
import torch
import torch.nn.functional as F
from tests import cases
from torch import nn

from heldout.engine.population import Population, stream
from heldout.engine.subject import Examples
from heldout.engine.subject.losses import NAMED
from heldout.engine.training import train_to_fit
from heldout.records import Refusal

LOSS = NAMED["cross-entropy"]


def network() -> nn.Module:
    return nn.Sequential(nn.Linear(8, 12), nn.BatchNorm1d(12), nn.ReLU(), nn.Linear(12, 3))


def slow(module: nn.Module, x: torch.Tensor, y: torch.Tensor, member: int, target: float) -> nn.Module:
    """The textbook loop: torch.optim.SGD, batches of the same streams, looked at every 5 steps."""
    module = copy.deepcopy(module).train()
    optimizer = torch.optim.SGD(module.parameters(), lr=0.05, momentum=0.8)
    for step in range(1, 1001):
        batch = torch.randperm(len(x), generator=stream(3, "batch", member, step))[:20]
        optimizer.zero_grad()
        F.cross_entropy(module(x[batch]), y[batch]).backward()
        optimizer.step()
        if step % 5 == 0:
            with torch.no_grad():
                reached = F.cross_entropy(module.eval()(x), y) <= target
            module.train()
            if reached:
                return module.eval()
    raise AssertionError("the reference did not arrive")


def test_every_member_follows_the_ordinary_loop_and_leaves_when_it_arrived() -> None:
    x, y = cases.mlp().train
    initial = Population.of(network, 3, seed=5)
    labels = torch.stack([y, y.roll(1), y.flip(0)])
    arrivals: list[tuple[int, int]] = []
    trained = train_to_fit(
        initial, Examples(x, labels, y_per_member=True), LOSS, learning_rate=0.05, momentum=0.8, batch_size=20,
        target_loss=0.3, check_every=5, seed=3, on_check=lambda step, done: arrivals.append((step, done)),
    )  # fmt: skip
    assert len({step for step, done in arrivals if done}) > 1  # they did not all arrive at once
    for member in range(3):
        reference = dict(slow(initial.member(member), x, labels[member], member, 0.3).named_parameters())
        for name, tensor in trained.parameters.items():
            torch.testing.assert_close(tensor[member], reference[name].detach(), rtol=1e-3, atol=1e-4)


def test_the_initial_population_is_left_as_it_was() -> None:
    x, y = cases.mlp().train
    initial = Population.of(network, 2)
    before = {name: tensor.clone() for name, tensor in {**initial.parameters, **initial.buffers}.items()}
    train_to_fit(initial, Examples(x, y), LOSS, target_loss=0.5)
    assert all(torch.equal(before[name], tensor) for name, tensor in {**initial.parameters, **initial.buffers}.items())


def test_members_that_never_arrive_are_refused_in_a_sentence() -> None:
    x, y = cases.mlp().train
    with pytest.raises(Refusal, match="max_steps"):
        train_to_fit(Population.of(network, 2), Examples(x, y), LOSS, target_loss=1e-9, max_steps=30)


def test_a_diverging_member_is_refused_in_a_sentence() -> None:
    x, y = cases.mlp().train
    make = lambda: nn.Linear(8, 3)  # noqa: E731
    with pytest.raises(Refusal, match="learning_rate"):
        train_to_fit(Population.of(make, 1), Examples(1e30 * x, y), LOSS, learning_rate=1e30, check_every=1)
