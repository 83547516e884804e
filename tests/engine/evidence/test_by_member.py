"""Functions of one network, for all members and in blocks."""

import torch
from torch import Tensor, nn

from heldout.engine.evidence.by_member import blocks_of, by_member
from heldout.engine.population import Population


def networks() -> list[nn.Module]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return [nn.Linear(3, 2), nn.Linear(3, 2)]


def test_every_member_meets_its_weights_its_inputs_and_what_is_its_own() -> None:
    members = networks()
    population = Population(members)
    x, own = torch.randn(2, 4, 3, generator=torch.Generator().manual_seed(0)), torch.tensor([1.0, 10.0])

    def function(
        parameters: dict[str, Tensor], buffers: dict[str, Tensor], x: Tensor, times: Tensor
    ) -> dict[str, Tensor]:
        return {"sum": times * population.call_one(parameters, buffers, x).sum()}

    apart = by_member(population, function, x, own, per_member=True)["sum"]
    shared = by_member(population, function, x[0], own)["sum"]
    for m, network in enumerate(members):
        torch.testing.assert_close(apart[m], own[m] * network(x[m]).sum().detach())
        torch.testing.assert_close(shared[m], own[m] * network(x[0]).sum().detach())
    assert population.tally.forward == 0


def test_blocks_follow_the_memory() -> None:
    small = Population(networks(), memory=150)
    x = torch.arange(30.0, dtype=torch.float64).reshape(10, 3)
    found = list(blocks_of(small, x, per_member=False))
    assert len(found) > 1
    assert torch.equal(torch.cat([few for _, few in found]), x.float())
    assert [few.stop - few.start for few, _ in found] == [len(block) for _, block in found]
    own = torch.stack([x, x + 1])
    assert torch.equal(torch.cat([few for _, few in blocks_of(small, own, per_member=True)], dim=1), own.float())
