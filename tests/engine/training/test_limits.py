"""A budget for everything inside a block, and none outside."""

import pytest
import torch
from torch import nn

from heldout.engine.population import Population
from heldout.engine.training import Recipe, fit
from heldout.engine.training.limits import memory_budget, within_memory
from heldout.records import Refusal

X, Y = torch.randn(64, 8, generator=torch.Generator().manual_seed(0)), torch.arange(64) % 3


def test_a_budget_holds_in_its_block_alone() -> None:
    with within_memory("2KiB"):
        assert memory_budget() == 2048
        with within_memory(None):
            assert memory_budget() == 2048
        with within_memory(10):
            assert memory_budget() == 10
        assert memory_budget() == 2048
    assert memory_budget() is None


def test_trainings_inside_keep_to_it(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HELDOUT_CACHE", str(tmp_path))
    population = Population.of(lambda: nn.Linear(8, 3), 32, seed=0)
    recipe = Recipe(steps=40, batch_size=32)
    with within_memory("20KiB"):
        plan = fit(population, (X, Y), recipe).plan
    assert plan.chunk * plan.workers < 32
    with within_memory(100), pytest.raises(Refusal, match="memory was 100"):
        fit(population, (X, Y), recipe)
