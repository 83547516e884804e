"""Weights held at zero."""

import torch
from tests.interventions.steps import X, Y, goes_through, network

from heldout.engine.population import Population
from heldout.engine.training import Plan, Recipe, fit
from heldout.interventions.pruning_mask import pruning_mask


def test_masked_weights_stay_zero_in_each_member_by_its_own_mask() -> None:
    initial = Population.of(network, 3, seed=2)
    mask = torch.rand(3, 7, 6, generator=torch.Generator().manual_seed(1)) > 0.5
    start = initial.with_tensors(
        {**initial.parameters, "0.weight": initial.parameters["0.weight"] * mask}, initial.buffers
    )
    piece = pruning_mask(masks={"0.weight": mask})
    final = fit(start, (X, Y), Recipe(batch_size=12, steps=10, interventions=(piece,)), plan=Plan(2)).final
    assert bool((final.parameters["0.weight"][~mask] == 0).all())
    assert bool((final.parameters["0.weight"][mask] != start.parameters["0.weight"][mask]).all())
    assert bool((final.parameters["2.weight"] != 0).all())


def test_it_goes_through() -> None:
    masks = (torch.arange(63).view(3, 3, 7) % 2).bool()
    second = pruning_mask(masks={"2.weight": masks[1:2]})
    goes_through(pruning_mask(masks={"2.weight": masks}), of_the_second=second)
