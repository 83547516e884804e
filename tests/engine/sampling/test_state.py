"""Chains that leave every scale are frozen where they last were, and the others go on."""

import pytest
import torch
from tests.oracles.posteriors import quadratic, target

from heldout.engine.sampling.state import State, at_start, chosen, each_group, survived


def states(value: float) -> tuple[State, State]:
    """Three chains, the second of which proposes this energy."""
    law = target(quadratic((1.0, 2.0)), chains=3)
    before = at_start(law, memory=1)
    moved = law.energy(before.position + 1.0)
    energies = moved.value.clone()
    energies[1] = value
    return before, before._replace(position=before.position + 1.0, energy=moved._replace(value=energies))


def test_all_chains_begin_at_the_centre_alive() -> None:
    before, _ = states(0.0)
    assert before.alive.all()
    assert (before.position == 0).all()
    assert before.energy.value.tolist() == [0.0, 0.0, 0.0]
    assert before.memory.shape == (3, 1)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e9, -1e9])
def test_a_chain_beyond_every_scale_is_frozen(value: float) -> None:
    before, after = states(value)
    found = survived(before, after)
    assert found.alive.tolist() == [True, False, True]
    assert found.position.tolist() == [[1.0, 1.0], [0.0, 0.0], [1.0, 1.0]]
    assert found.energy.value[1] == 0.0
    again = survived(found, after._replace(energy=after.energy._replace(value=torch.ones(3, dtype=torch.float64))))
    assert again.alive.tolist() == [True, False, True]  # nobody comes back to life
    assert again.position[1].tolist() == [0.0, 0.0]


def test_the_ceiling_is_a_parameter() -> None:
    before, after = states(50.0)
    assert survived(before, after).alive.all()
    assert survived(before, after, ceiling=10.0).alive.tolist() == [False, False, False]  # the others are at 217


def test_energies_are_chosen_chain_by_chain_and_minibatches_of_other_sizes_replace() -> None:
    before, after = states(7.0)
    here = torch.tensor([True, False, True])
    found = chosen(here, after.energy, before.energy)
    assert found.value[1] == 0.0
    assert found.value[0] == after.energy.value[0]
    few = after.energy._replace(losses=after.energy.losses[:, :2])
    assert chosen(here, few, before.energy).losses.shape[1] == 2


def test_groups_share_what_is_drawn_for_a_chain() -> None:
    law = target(quadratic((1.0,), members=2), chains=3)
    assert each_group(torch.arange(3), law).tolist() == [0, 1, 2, 0, 1, 2]
