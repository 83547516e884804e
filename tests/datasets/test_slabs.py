"""Slab data: where classes lie, what is exchanged, that no line separates slabs."""

from typing import Any

import pytest
import torch

from heldout.datasets.slabs import slab_coordinate, slabs
from heldout.engine.population import stream
from heldout.records import Refusal

SETTINGS: dict[str, Any] = {"train_size": 3000, "test_size": 2000, "dimension": 4, "seed": 3}


@pytest.mark.parametrize(
    ("slab", "edges", "shares"),
    [
        (3, {0: [(-1 / 15 * 4, 1 / 15 * 4)], 1: [(0.4667, 1.0)]}, {0: 1.0, 1: 1.0}),
        (5, {0: [(0.0, 0.12), (0.76, 1.0)], 1: [(0.32, 0.56)]}, {0: 0.75, 1: 1.0}),
        (7, {0: [(0.0, 0.0572), (0.5714, 0.6858)], 1: [(0.2571, 0.3715), (0.8857, 1.0)]}, {0: 0.5, 1: 0.875}),
    ],
)
def test_slabs_lie_where_the_paper_puts_them(
    slab: int, edges: dict[int, list[tuple[float, float]]], shares: dict[int, float]
) -> None:
    y = torch.randint(2, (20000,), generator=stream(0, "y"))
    found = slab_coordinate(y, slab, 0.1, stream(1, "slab"))
    for label, places in edges.items():
        own = found[y == label]
        inside = torch.stack([(own.abs() >= low - 1e-3) & (own.abs() <= high + 1e-3) for low, high in places])
        assert bool(inside.any(0).all())
        # 10,000 draws: a share's deviation is at most 0.005, its expectation known
        assert float(inside[0].double().mean()) == pytest.approx(shares[label], abs=0.03)
        assert float((own > 0).double().mean()) == pytest.approx(0.5, abs=0.03)


def test_one_direction_separates_and_without_it_none_does() -> None:
    for simple, least, most in (("linear", 0.999, 1.0), ("uncertain", 0.92, 0.97), ("none", 0.4, 0.62)):
        (x, y), (x_test, y_test) = slabs(simple=simple, slab=7, **SETTINGS)
        design = torch.cat([x, torch.ones(len(x), 1)], 1)
        weights = torch.linalg.lstsq(design, 2.0 * y[:, None] - 1).solution
        said = (torch.cat([x_test, torch.ones(len(x_test), 1)], 1) @ weights)[:, 0] > 0
        assert least <= float((said == y_test.bool()).double().mean()) <= most, simple


def test_exchange_leaves_the_rest_as_it_is() -> None:
    train, (x, y) = slabs(**SETTINGS)
    directions = []
    for shuffled in ("simple", "others"):
        same, (moved, labels) = slabs(shuffled=shuffled, **SETTINGS)
        assert torch.equal(same[0], train[0])
        assert torch.equal(labels, y)
        difference = torch.linalg.svd((moved - x).double(), full_matrices=False)
        rank = int((difference.S > 1e-3).sum())
        assert rank == (1 if shuffled == "simple" else 3)
        directions.append(difference.Vh[:rank])
    assert float((directions[0] @ directions[1].T).abs().max()) < 1e-4  # the two spaces are at right angles
    line = x.double() @ directions[0][0]
    assert float((line.abs()).min()) >= 0.1 - 1e-4
    assert abs(float(((line > 0) == y.bool()).double().mean()) - 0.5) == 0.5


def test_margin_and_share_are_used() -> None:
    (x, _), _ = slabs(margin=0.05, **SETTINGS)
    assert not torch.equal(x, slabs(**SETTINGS)[0][0])
    (x, y), _ = slabs(simple="uncertain", uncertain=1.0, dimension=1, train_size=500, test_size=2, margin=0.2, seed=1)
    assert float(x.abs().max()) <= 0.2
    assert 0.35 < float(((x[:, 0] > 0) == y.bool()).double().mean()) < 0.65


@pytest.mark.parametrize(
    ("change", "word"), [({"simple": "x"}, "simple"), ({"slab": 4}, "slab"), ({"shuffled": "x"}, "shuffled")]
)
def test_what_cannot_be_is_refused(change: dict[str, Any], word: str) -> None:
    with pytest.raises(Refusal, match=word):
        slabs(**change)
