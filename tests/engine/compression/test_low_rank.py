"""Low-rank changes: the factors by hand, ranks, the starting point at 0, and messages that say which map was used."""

import pytest
import torch
from torch import nn

from heldout.engine.compression.compressing import compressed
from heldout.engine.compression.low_rank import LOW_RANK_KINDS, factored, low_rank_of
from heldout.engine.compression.messages import KIND_BITS, decoded
from heldout.engine.compression.receiving import check_received
from heldout.engine.population import Population
from heldout.engine.subject import as_examples
from heldout.engine.training import Recipe
from heldout.records import Refusal


def make() -> nn.Module:
    return nn.Sequential(nn.Linear(12, 10), nn.ReLU(), nn.Linear(10, 2))


START = Population.of(make, 2, seed=0)
W = torch.randn(9, generator=torch.Generator().manual_seed(1))


def changes(kind: str, seed: int = 0) -> dict[str, torch.Tensor]:
    shapes = {name: stack.shape[1:] for name, stack in START.parameters.items()}
    pieces = low_rank_of(kind, START, 9, seed=seed)(W).split([shape.numel() for shape in shapes.values()])
    return {name: piece.view(shape) for (name, shape), piece in zip(shapes.items(), pieces, strict=True)}


@pytest.mark.parametrize("kind", LOW_RANK_KINDS)
def test_a_matrix_changes_by_its_rank(kind: str) -> None:
    found = changes(kind)
    thin = kind.startswith("rank") and int(kind.split("-")[1]) < 5  # 5 (12 + 10) < 12 x 10, 8 (12 + 10) is not
    assert int(torch.linalg.matrix_rank(found["0.weight"])) == (int(kind.split("-")[1]) if thin else 10)
    assert float(found["0.bias"].abs().min()) > 0
    assert low_rank_of(kind, START, 9, seed=0)(torch.zeros(9)).abs().max() == 0
    assert not torch.equal(found["2.weight"], changes(kind, seed=1)["2.weight"])


def test_small_moves_are_as_long_as_the_factors_say() -> None:
    """At rank 2 the map is ``B (A + dA)`` with A of orthonormal rows: to first order the change of a matrix is as long as B."""
    small = 1e-3 * torch.randn(60, generator=torch.Generator().manual_seed(2))
    moved = factored(START, 2, 60, seed=0)(small)
    linear = factored(START, 2, 60, seed=0)(2 * small) / 2
    torch.testing.assert_close(moved, linear, rtol=0.05, atol=2e-6)
    assert 0.2 < float(moved.norm() / small.norm()) < 1.5


def test_messages_say_the_map_and_rebuild_the_network() -> None:
    x = torch.randn(60, 12, generator=torch.Generator().manual_seed(3))
    data = as_examples((x, (x[:, 0] > 0).long()), "data")
    found = compressed(
        START, data, Recipe(batch_size=30), dimension=9, codebooks=((3, True),), seed=4, kind="rank-2", steps=40,
        kinds=LOW_RANK_KINDS, projecting=low_rank_of,
    )[0]  # fmt: skip
    assert decoded(found.messages[0].bits).kind == LOW_RANK_KINDS.index("rank-2")
    check_received(found, START, seed=4, kinds=LOW_RANK_KINDS, projecting=low_rank_of)
    with pytest.raises(Refusal, match="with seed 5 stands for another network"):
        check_received(found, START, seed=5, kinds=LOW_RANK_KINDS, projecting=low_rank_of)
    with pytest.raises(Refusal, match="stands for another network"):
        check_received(found, START, seed=4)  # the eight maps of the other table
    assert len(LOW_RANK_KINDS) == 2**KIND_BITS


def test_an_unknown_map_is_refused() -> None:
    with pytest.raises(Refusal, match="'rank-3'"):
        low_rank_of("rank-3", START, 9, seed=0)
