"""Projections: linear, of columns of length one, decided by the seed, and never a matrix of all weights."""

import math

import pytest
import torch
from torch import Tensor, nn

from heldout.engine.compression import projections
from heldout.engine.compression.choosing import KIND_BITS, KINDS, modulating, projection_of
from heldout.engine.compression.projections import Projection, added, automatic, dense, kronecker_remainder, sparse
from heldout.engine.population import Population
from heldout.records import Refusal

NETWORK = nn.Sequential(nn.Linear(90, 30), nn.BatchNorm1d(30), nn.ReLU(), nn.Linear(30, 25))
START = Population.of(lambda: NETWORK, 1, seed=0)
WEIGHTS = 90 * 30 + 30 + 30 + 30 + 30 * 25 + 25


def whole(projection: Projection) -> Tensor:
    """The matrix, column by column."""
    return torch.stack([projection(row) for row in torch.eye(projection.dimension)], dim=1)


def test_the_choice_among_them_costs_as_many_bits_as_it_has_choices() -> None:
    assert math.log2(len(set(KINDS))) == KIND_BITS


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dimension", [7, 16])
def test_columns_have_length_one_and_nearly_right_angles(kind: str, dimension: int) -> None:
    matrix = whole(projection_of(kind, START, dimension, seed=3)).double()
    assert matrix.shape == (WEIGHTS, dimension)
    products = matrix.T @ matrix
    # a squared length is a mean of at least 900 (of factors: a product of two means of 59) squares: five deviations
    assert torch.allclose(products.diagonal(), torch.ones(dimension).double(), atol=5 * 2 / 59**0.5)
    assert float((products - products.diagonal().diag()).abs().max()) < 0.85
    assert abs(float(products.diagonal().mean()) - 1) < 0.25


@pytest.mark.parametrize("kind", KINDS)
def test_linear_and_decided_by_the_seed(kind: str) -> None:
    one, same, other = (projection_of(kind, START, 10, seed=seed) for seed in (1, 1, 2))
    draw = torch.Generator().manual_seed(0)
    v, w = torch.randn(2, 10, generator=draw)
    torch.testing.assert_close(one(2 * v - w), 2 * one(v) - one(w), rtol=1e-4, atol=1e-5)
    assert torch.equal(one(v), same(v))
    assert float((one(v) - other(v)).abs().max()) > 0.01
    stacked = torch.func.vmap(one)(torch.stack([v, w]))  # members are stacked in training
    torch.testing.assert_close(stacked, torch.stack([one(v), one(w)]))
    assert one.to(torch.device("meta"))(v.to("meta")).shape == (WEIGHTS,)


def test_sparse_columns_are_of_length_one_exactly_with_one_sign_a_block() -> None:
    matrix = whole(sparse(1000, 40, seed=0))
    assert ((matrix != 0).sum(0) == 32).all()  # ceil(sqrt(1000))
    assert set(matrix[matrix != 0].tolist()) == set((torch.tensor([1.0, -1.0]) / 32**0.5).tolist())
    ends = torch.arange(33) * 1000 // 32
    assert all(
        int((matrix[low:high] != 0).sum()) == 40 for low, high in zip(ends.tolist(), ends.tolist()[1:], strict=False)
    )
    assert int((matrix != 0).any(1).sum()) > 600  # 1,280 entries cover 1 - exp(-1.28) of the rows if they are spread


def test_factors_of_orthonormal_columns_keep_lengths_and_angles() -> None:
    matrix = whole(kronecker_remainder(2500, 16, seed=0, orthonormal=True))  # 50 squared: nothing remains
    torch.testing.assert_close(matrix.T @ matrix, torch.eye(16), rtol=1e-4, atol=1e-5)
    assert not torch.allclose(*(whole(kronecker_remainder(2600, 16, seed=0, orthonormal=o)) for o in (True, False)))


def test_the_remainder_is_dense_and_its_place_random() -> None:
    projection = kronecker_remainder(2600, 16, seed=0)
    one, two, rest, order = projection.tensors
    assert (one.shape, two.shape, rest.shape) == ((50, 4), (51 - 1, 4), (100, 16))
    together = torch.cat([torch.kron(one.double(), two.double()) * (2500 / 2600) ** 0.5, rest.double()])[order]
    torch.testing.assert_close(whole(projection).double(), together, rtol=1e-4, atol=1e-5)
    assert not torch.equal(order, order.sort().values)


def test_film_moves_norms_and_the_last_layer_alone() -> None:
    moved = projection_of("film", START, 9, seed=0)(torch.ones(9)) != 0
    names = [name for name, stack in START.parameters.items() for _ in range(stack[0].numel())]
    assert {name.split(".")[0] for name, hit in zip(names, moved.tolist(), strict=True) if hit} == {"1", "3"}
    assert int(moved.sum()) == len(modulating(START)) == 30 + 30 + 30 * 25 + 25


def test_a_sum_is_of_two_independent_maps() -> None:
    both = projection_of("film+automatic", START, 9, seed=0)
    film = projection_of("film", START, 9, seed=0)
    rest = 2**0.5 * whole(both) - whole(film)
    assert abs(float((rest * whole(film)).sum(0).mean())) < 0.3
    torch.testing.assert_close(rest.square().sum(0).mean(), torch.tensor(1.0), rtol=0.1, atol=0)
    one, two = dense(500, 3, seed=0), sparse(500, 3, seed=0)
    torch.testing.assert_close(whole(added(one, two)), (whole(one) + whole(two)) / 2**0.5)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "dense"])
def test_a_million_weights_take_no_matrix(kind: str) -> None:
    """A full matrix of D x d would be 10^9 entries, D x D 10^12."""
    wide = Population(nn.Linear(999, 1000))
    projection = projection_of(kind, wide, 1000, seed=0)
    held = sum(tensor.numel() for tensor in projection.tensors)
    assert held < 8 * 10**6
    assert projection(torch.ones(1000)).shape == (10**6,)


def test_what_cannot_be_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Refusal, match="projection was 'fourier'"):
        projection_of("fourier", START, 3, seed=0)
    with pytest.raises(Refusal, match="20 dimensions for 10 weights"):
        kronecker_remainder(10, 20, seed=0)
    monkeypatch.setattr(projections, "DENSE_ENTRIES", 10)
    with pytest.raises(Refusal, match="95 times 7 entries"):
        dense(95, 7, seed=0)
    one, two = automatic(95, 7, seed=0).tensors
    assert one.shape == two.shape == (10, 3)
    torch.testing.assert_close(whole(automatic(95, 7, seed=0)), torch.kron(one, two)[:95, :7])
