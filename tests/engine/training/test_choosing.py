"""The choice of a plan: tried, remembered, within the memory, and never worse than an error."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from heldout.engine.population import Population
from heldout.engine.training import Plan, Recipe, choosing, fit, memory
from heldout.engine.training.batches import Batches
from heldout.engine.training.fit import prepared
from heldout.records import Refusal

X = torch.randn(64, 6, generator=torch.Generator().manual_seed(0))
Y = (X[:, 0] > 0).long()


def network() -> nn.Module:
    return nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 2))


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HELDOUT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(memory, "_KNOWN", {})
    return tmp_path / "cache"


def choose(make: Any = network, members: int = 6, steps: int = 100, **more: Any) -> Plan:
    population = Population.of(make, members)
    recipe = Recipe(batch_size=16, steps=steps)
    examples, loss = prepared(population, (X, Y), recipe, 0, list(range(members)))
    return choosing.chosen_plan(
        population, examples, loss, recipe, Batches.of(recipe, 64, 0), 0, list(range(members)), **more
    )


def times(monkeypatch: pytest.MonkeyPatch, known: Any) -> list[Plan]:
    """Pretend how long plans take; the plans that were tried."""
    tried: list[Plan] = []

    def timed(*arguments: Any) -> float:
        tried.append(arguments[-1])
        taken: float = known(arguments[-1])
        return taken

    monkeypatch.setattr(choosing, "_timed", timed)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    return tried


def test_the_fastest_is_chosen_and_remembered_between_processes(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    tried = times(monkeypatch, lambda plan: 1.0 if plan == Plan(3, 2, 1) else 2.0)
    assert choose() == Plan(3, 2, 1)
    assert len(tried) >= 3
    assert len({(plan.chunk, plan.workers, plan.mapped) for plan in tried}) == len(tried)
    tried.clear()
    monkeypatch.setattr(memory, "_KNOWN", {})  # another process
    assert choose() == Plan(3, 2, 1)
    assert tried == []
    for file in cache.rglob("*.json"):
        file.write_text("damaged", encoding="utf-8")
    monkeypatch.setattr(memory, "_KNOWN", {})
    assert choose() == Plan(3, 2, 1)
    assert tried


def test_a_step_is_compiled_where_the_work_ahead_pays_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = times(monkeypatch, lambda plan: 0.5 if plan.compiled else 1.0)
    assert not choose(steps=1000).compiled
    assert not any(plan.compiled for plan in tried)
    assert choose(steps=100_000).compiled


def test_a_graph_that_cannot_be_compiled_is_trained_without(monkeypatch: pytest.MonkeyPatch) -> None:
    def known(plan: Plan) -> float:
        if plan.compiled:
            raise RuntimeError("no such kernel")
        return 1.0

    times(monkeypatch, known)
    assert not choose(steps=100_000).compiled


def test_few_steps_are_not_worth_a_measurement(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = times(monkeypatch, lambda plan: 1.0)
    choose(steps=choosing.FEW)
    assert tried == []


class Branching(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(6, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x) if float(x.sum()) > -1e9 else x[:, :2]


def test_a_network_that_cannot_be_vectorised_is_trained_member_by_member() -> None:
    with pytest.warns(UserWarning, match="one by one"):
        plan = choose(Branching)
    assert not plan.mapped
    recipe = Recipe(batch_size=16, steps=30, lr=0.3)
    with pytest.warns(UserWarning, match="one by one"):
        fitted = fit(Population.of(Branching, 3), (X, Y), recipe)
    assert (fitted.final(X).argmax(-1) == Y).double().mean() > 0.9


def test_a_stack_is_no_larger_than_the_memory_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = times(monkeypatch, lambda plan: 1.0 / plan.chunk)
    population = Population.of(network, 6)
    recipe = Recipe(batch_size=16)
    examples, _ = prepared(population, (X, Y), recipe, 0, list(range(6)))
    one = choosing.bytes_of_a_member(population, examples, recipe, Batches.of(recipe, 64, 0))
    choose(memory=2 * one)
    assert max(plan.chunk * plan.workers for plan in tried) == 2
    with pytest.raises(Refusal, match="memory"):
        choose(memory=one // 2)
    with pytest.raises(Refusal, match="lots"):
        choose(memory="lots")


PEAK = """
import resource, sys, torch
from torch import nn
from heldout.engine.population import Population
from heldout.engine.training import Recipe, fit
torch.manual_seed(0)
x, y = torch.randn(2000, 64), torch.randint(0, 10, (2000,))
make = lambda: nn.Sequential(nn.Linear(64, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 10))
population = Population.of(make, 32)
fit(population, (x, y), Recipe(batch_size=1000, steps=2, lr=0.0))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
fit(population, (x, y), Recipe(batch_size=1000, steps=25, lr=0.01), memory=sys.argv[1])
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
"""


def test_the_memory_is_kept_to_by_measurement(tmp_path: Path) -> None:
    """The peak of the process, beyond what the networks and one small training take, stays under the budget."""
    code = re.sub(r"fit\(population, \(x, y\), Recipe\(batch_size=1000, steps=2, lr=0.0\)\)", "", PEAK)
    done = subprocess.run([sys.executable, "-c", code, "300MiB"], capture_output=True, text=True, check=True)
    networks = 32 * (64 * 512 + 512 * 512 + 512 * 10) * 4 / 2**20
    assert float(done.stdout.split()[-1]) < 300 + 3 * networks


def test_the_cache_is_where_the_user_says(cache: Path) -> None:
    choose()
    kept = [json.loads(file.read_text(encoding="utf-8")) for file in cache.rglob("*.json")]
    assert kept
    assert {"plan", "milliseconds"} <= set(kept[0]["times"][0])
