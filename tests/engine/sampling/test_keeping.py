"""Chains that are stopped and taken up again draw what they would have drawn."""

import json
from dataclasses import asdict
from typing import Any

import numpy as np
import pytest
import torch
from tests.oracles.posteriors import LossField, normal_crossing, quadratic, target
from torch import Tensor

from heldout.engine.sampling import Draws, Settings, sample, sampling


class Stopped(Exception):
    """What a kill is to a test."""


class Memory:
    """Keeps the last course, through JSON; stops after so many writes."""

    def __init__(self, writes: int = 10**9) -> None:
        self.kept: tuple[dict[str, Tensor], str] | None = None
        self.writes, self.counts = writes, []

    def read(self) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
        return None if self.kept is None else (self.kept[0], json.loads(self.kept[1]))

    def write(self, tensors: dict[str, Tensor], plain: dict[str, Any]) -> None:
        self.kept = {name: tensor.clone() for name, tensor in tensors.items()}, json.dumps(plain)
        self.counts.append(plain["count"])
        if len(self.counts) == self.writes:
            raise Stopped


def same(one: Draws, other: Draws) -> bool:
    ours, theirs = asdict(one), asdict(other)
    recorded = zip(ours.pop("recorded").values(), theirs.pop("recorded").values(), strict=True)
    centres = [(ours.pop(name), theirs.pop(name)) for name in ("centre_losses", "centre_test_losses")]
    return ours == theirs and all(a is b or np.array_equal(a, b) for a, b in (*recorded, *centres))


@pytest.mark.parametrize("sampler", ["hmc", "mala", "sgld", "rmsprop-sgld", "sgnht"])
def test_the_same_draws_to_the_bit(sampler: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampling, "KEPT_EVERY", 0.0)
    settings = Settings(sampler=sampler, draws=50, precision=0.15, chains=4, budget=3000.0)
    law, tests = target(quadratic((0.5, 2.0), members=2), localisation=50.0), quadratic((1.0, 1.0), members=2)
    whole = sample(law, settings, test=tests)
    memory = Memory(writes=5)
    with pytest.raises(Stopped):
        sample(law, settings, test=tests, keep=memory)
    assert memory.counts[-1] == 5
    memory.writes = 10**9
    again = sample(law, settings, test=tests, keep=memory)
    assert memory.counts[5] == 6
    assert all(map(same, whole, again))
    steps = len(memory.counts)
    assert all(
        map(same, whole, sample(law, settings, test=tests, keep=memory))
    )  # finished groups come from where they are kept
    assert len(memory.counts) == steps


def test_groups_that_ended_stay_as_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    """A regular law ends at once; a singular one beside it goes on, is stopped, and is taken up."""
    monkeypatch.setattr(sampling, "KEPT_EVERY", 0.0)
    regular, singular = quadratic((1.0, 1.0)), normal_crossing(1, 1)
    both = LossField(regular.loss, 2, members=2)
    both.losses = lambda w, m: torch.where(m == 0, regular.loss(w), singular.loss(w))[:, None].expand(-1, 4)  # type: ignore[method-assign]
    settings = Settings(draws=50, precision=0.08, budget=20_000.0)
    whole = sample(target(both), settings)
    lengths = [draws.recorded.mean_losses.shape[1] + draws.burn_in for draws in whole]
    assert lengths[0] < lengths[1]
    memory = Memory(writes=lengths[0] + 5)
    with pytest.raises(Stopped):
        sample(target(both), settings, keep=memory)
    memory.writes = 10**9
    assert all(map(same, whole, sample(target(both), settings, keep=memory)))
