"""Masks by magnitude, against a sort in NumPy."""

import numpy as np
import pytest
import torch
from torch import nn

from heldout.engine.population import Population
from heldout.engine.training.magnitude_masks import magnitude_masks, masked
from heldout.records import Refusal

DRAW = torch.Generator().manual_seed(3)
WEIGHTS = {"a": torch.randn(3, 5, 4, generator=DRAW), "b": torch.randn(3, 7, generator=DRAW)}
SHARES = torch.tensor([0.0, 0.3, 1.0])


def test_each_layer_of_each_member_loses_its_own_smallest_share() -> None:
    masks = magnitude_masks(WEIGHTS, SHARES)
    for name, weight in WEIGHTS.items():
        for member, share in enumerate(SHARES.tolist()):
            sizes = np.abs(weight[member].numpy().ravel())
            gone = np.argsort(sizes)[: round(share * sizes.size)]
            expected = np.ones(sizes.size, dtype=bool)
            expected[gone] = False
            assert masks[name][member].flatten().tolist() == expected.tolist()


def test_rounds_take_their_share_of_what_is_left_and_nothing_comes_back() -> None:
    first = magnitude_masks(WEIGHTS, 0.5)
    grown = {name: torch.where(first[name], weight, 100.0) for name, weight in WEIGHTS.items()}
    second = magnitude_masks(grown, 0.2, first)
    for name, mask in second.items():
        assert not bool((mask & ~first[name]).any())
        assert mask.flatten(1).sum(1).tolist() == [{"a": 8, "b": 2}[name]] * 3  # 10 - 2, and 3 (of 7, half even) - 1


def test_a_member_alone_has_its_mask_of_the_population() -> None:
    together = magnitude_masks(WEIGHTS, SHARES)
    alone = magnitude_masks({name: weight[1:2] for name, weight in WEIGHTS.items()}, SHARES[1:2])
    assert all(torch.equal(together[name][1:2], alone[name]) for name in WEIGHTS)


def test_masked_networks_have_zeros_there_and_nowhere_else() -> None:
    population = Population.of(lambda: nn.Linear(4, 3), 2)
    masks = magnitude_masks({"weight": population.parameters["weight"]}, 0.25)
    pruned = masked(population, masks)
    assert torch.equal(pruned.parameters["weight"] != 0, masks["weight"])
    assert torch.equal(pruned.parameters["bias"], population.parameters["bias"])


@pytest.mark.parametrize("share", [-0.1, 1.1])
def test_a_share_outside_its_range_is_refused(share: float) -> None:
    with pytest.raises(Refusal, match="removed"):
        magnitude_masks(WEIGHTS, share)
