"""Pathways through experts, against Levenshtein's recursion and on mixtures made by hand."""

from functools import cache

import pytest
import torch
from torch import nn

from heldout.engine.subject import Examples
from heldout.engine.subject.losses import NAMED
from heldout.engine.watching.groups import Probe
from heldout.engine.watching.pathways import NAME, expert_layers, pathway_distance, pathways, ways
from heldout.engine.watching.sampled import Sampled
from heldout.engine.watching.snapshots import Source


class Mixture(nn.Module):
    """Each example goes to its two best of four experts."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = nn.Linear(4, 4, bias=False)
        self.experts = nn.ModuleList(nn.Linear(4, 2) for _ in range(4))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        weights = self.gate(x).softmax(-1)
        return torch.stack([expert(x) for expert in self.experts], -1).mul(weights.unsqueeze(-2)).sum(-1)


def read(network: nn.Module, x: torch.Tensor) -> dict[str, object]:
    source = Source.of(network)
    examples = Examples(x, torch.zeros(len(x), dtype=torch.int64))
    probe = Probe(source.now(), None, Sampled(examples, len(x)), None, NAMED["cross-entropy"], 0, {})
    return pathways(8).read(probe).readings[0]


@cache
def levenshtein(a: tuple[int, ...], b: tuple[int, ...]) -> int:
    if not a or not b:
        return len(a) + len(b)
    return min(levenshtein(a[1:], b) + 1, levenshtein(a, b[1:]) + 1, levenshtein(a[1:], b[1:]) + (a[0] != b[0]))


def test_the_distance_is_levenshteins() -> None:
    drawn = torch.randint(3, (7, 5), generator=torch.Generator().manual_seed(0))
    rows = [tuple(row) for row in drawn.tolist()]
    pairs = [levenshtein(a, b) for i, a in enumerate(rows) for b in rows[i + 1 :]]
    assert pathway_distance(drawn) == pytest.approx(sum(pairs) / len(pairs) / 5)
    assert pathway_distance(drawn[:1]) == 0.0


def test_ways_name_experts_over_all_layers() -> None:
    scores = [torch.tensor([[0.1, 0.7, 0.2]]), torch.tensor([[0.6, 0.4]])]
    assert ways(scores).tolist() == [[1, 2, 3, 4]]


def test_a_mixture_whose_gate_copies_the_input() -> None:
    mixture = Mixture()
    with torch.no_grad():
        mixture.gate.weight.copy_(torch.eye(4))
    x = torch.tensor([[9.0, 8.0, 0, 0], [9.0, 8.0, 0, 0], [9.0, 0, 8.0, 0]])
    assert read(mixture, x)["value"] == pytest.approx((0 + 0.5 + 0.5) / 3)


def test_networks_without_experts_and_routers_that_are_none() -> None:
    assert read(nn.Linear(4, 2), torch.zeros(3, 4))["status"] == "not-applicable"
    gated = Mixture()
    gated.gate = nn.Linear(4, 3)  # a gate of something else
    assert expert_layers(gated) == []
    assert read(Mixture(), torch.zeros(3, 4))["name"] == NAME
