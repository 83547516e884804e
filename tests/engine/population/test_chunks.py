"""Calls are cut to stay within the memory, and are counted."""

import pytest
import torch
from tests import cases

from heldout.engine.population import Population, Tally, examples_in, inputs_at

#: Floats that one example of the MLP case takes: 8 in, the outputs of its five layers, and of the whole.
FLOATS = 8 + (16 + 16 + 12 + 12 + 3) + 3


def mlps(members: int, memory: int) -> Population:
    return Population([cases.mlp(seed=seed).network for seed in range(members)], memory=memory)


def test_ample_memory_takes_all_at_once() -> None:
    members, examples = mlps(3, 2**28).chunks(cases.mlp().train[0])
    assert members == 3
    assert examples >= 60


@pytest.mark.parametrize(("fit", "plan"), [(48, (3, 16)), (100, (3, 33)), (16, (1, 16)), (5, (1, 5)), (0, (1, 1))])
def test_chunks_fit_the_memory(fit: int, plan: tuple[int, int]) -> None:
    """``fit`` network-examples fit; members go together as long as each keeps 16 examples."""
    assert mlps(3, 4 * FLOATS * fit).chunks(cases.mlp().train[0]) == plan


@pytest.mark.parametrize("fit", [1, 7, 40])
def test_what_is_called_together_fits(fit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    population = mlps(3, 4 * FLOATS * fit)
    sizes: list[int] = []
    call = population._call

    def watched(x: torch.Tensor, per_member: bool, members: int) -> torch.Tensor:
        sizes.append(len(x) * members)
        return call(x, per_member, members)

    monkeypatch.setattr(population, "_call", watched)
    assert population(cases.mlp().train[0]).shape == (3, 60, 3)
    assert max(sizes) <= fit
    assert population.tally.forward == 3 * 60


def test_planning_counts_nothing() -> None:
    population = mlps(2, 10_000)
    population.chunks(cases.mlp().train[0])
    assert population.tally == Tally(0, 0)


def test_inputs_of_any_form_are_counted_and_cut() -> None:
    x = {"a": torch.arange(6).reshape(2, 3), "b": (torch.zeros(2, 3, 4),)}
    assert examples_in(x) == 2
    assert examples_in(x, per_member=True) == 3
    assert inputs_at(x, slice(1, 2))["a"].tolist() == [[3, 4, 5]]
    assert inputs_at(x, slice(1, 3), per_member=True)["a"].tolist() == [[1, 2], [4, 5]]
    assert inputs_at(x, torch.tensor([1, 0]))["b"][0].shape == (2, 3, 4)
