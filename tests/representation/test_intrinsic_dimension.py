"""Estimates of dimension against scikit-dimension's, against loops, on clouds of known dimension, and their errors over draws."""

import math

import numpy as np
import pytest
import torch
from tests import cases

from heldout.catalog import find
from heldout.engine.evidence.local_dimension import by_likelihood, jackknifed
from heldout.engine.evidence.neighbours import Neighbours, around
from heldout.engine.evidence.reading_units import read_measure
from heldout.engine.evidence.resolving import Evidence
from heldout.records import Status
from heldout.representation.intrinsic_dimension import (
    by_ratios,
    data_dimension_mle,
    data_dimension_two_nn,
    representation_dimension_mle,
    representation_dimension_two_nn,
)  # fmt: skip


def one(points: torch.Tensor) -> Neighbours:
    found = around(points.unsqueeze(0))
    return Neighbours(found.distances[0], found.cells[0])


def test_the_numbers_of_scikit_dimension() -> None:
    known = one(torch.tensor(np.random.default_rng(0).standard_normal((500, 6))))
    # skdim 0.5.0: skdim.id.MLE(K=20).fit(x, n_neighbors=20).dimension_ and skdim.id.TwoNN().fit_transform(x)
    assert data_dimension_mle(known).value.item() == pytest.approx(5.732436309228189, rel=1e-9)
    assert data_dimension_two_nn(known).value.item() == pytest.approx(5.864164953918491, rel=1e-9)


@pytest.mark.parametrize("k", [2, 5, 20])
def test_likelihood_by_loops(k: int) -> None:
    known = one(torch.randn(40, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64))
    terms = [[math.log(row[k - 1] / row[j]) for j in range(k - 1)] for row in known.distances.tolist()]
    expected = 1 / np.mean(terms)
    for measure in (data_dimension_mle, representation_dimension_mle):
        assert measure(known, neighbours=k).value.item() == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("discard", [0.1, 0.35])
def test_two_neighbours_by_loops(discard: float) -> None:
    known = one(torch.randn(40, 3, generator=torch.Generator().manual_seed(2), dtype=torch.float64))
    ratios = sorted(row[1] / row[0] for row in known.distances.tolist())
    kept = round(40 * (1 - discard))
    x = [math.log(ratio) for ratio in ratios[:kept]]
    y = [-math.log(1 - (i + 1) / 40) for i in range(kept)]
    expected = np.dot(x, y) / np.dot(x, x)
    for measure in (data_dimension_two_nn, representation_dimension_two_nn):
        assert measure(known, discard=discard).value.item() == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("dimension", [1, 2, 4])
def test_a_cloud_in_a_larger_space_has_its_own_dimension_and_honest_errors(dimension: int) -> None:
    generator = torch.Generator().manual_seed(dimension)
    flat = torch.rand(40, 400, dimension, generator=generator, dtype=torch.float64)
    lifted = flat @ torch.linalg.qr(torch.randn(9, 9, generator=generator, dtype=torch.float64)).Q[:dimension]
    known = around(lifted)
    for method, bias in ((lambda part: by_likelihood(part, 20), 0.12), (lambda part: by_ratios(part, 0.1), 0.05)):
        found = torch.vmap(method)(known)
        mean, spread = found.value.mean().item(), found.value.std().item()
        # edges of the cloud pull down; noise of a mean of 40, five standard errors, comes on top
        assert abs(mean - dimension) < bias * dimension + 5 * spread / 40**0.5
        said = found.standard_error.square().mean().sqrt().item()
        assert 0.6 < said / spread < 1.8  # 40 clouds know a spread to 11 %


def test_repeats_change_nothing() -> None:
    points = torch.randn(60, 3, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    twice = torch.cat([points, points[:25]])
    for method in (data_dimension_mle, data_dimension_two_nn):
        assert method(one(twice)).value.item() == pytest.approx(method(one(points)).value.item(), rel=1e-12)


def test_grids_and_few_points_have_none() -> None:
    grid = torch.cartesian_prod(torch.arange(6.0), torch.arange(6.0))
    assert data_dimension_two_nn(one(grid)).value.isnan()
    few = one(torch.randn(20, 2, generator=torch.Generator().manual_seed(6)))
    assert data_dimension_mle(few).value.isnan()  # 19 others are not 20
    assert not data_dimension_mle(few, neighbours=19).value.isnan()
    assert data_dimension_two_nn(one(torch.tensor([[0.0], [1.0]]))).value.isnan()


def test_the_jackknife_of_a_mean_is_the_error_of_the_mean_of_groups() -> None:
    generator = torch.Generator().manual_seed(7)
    values, cells = torch.randn(200, generator=generator, dtype=torch.float64), torch.arange(200) % 20
    found = jackknifed(lambda weight: weight @ values / weight.sum(1), torch.ones(200).double(), cells)
    groups = values.reshape(10, 20).mean(0)
    assert found.value.item() == pytest.approx(values.mean().item())
    assert found.standard_error.item() == pytest.approx(groups.std().item() / 20**0.5, rel=1e-9)


def test_empty_groups_are_none() -> None:
    values, cells = torch.arange(30.0).double(), torch.arange(30) % 3
    found = jackknifed(lambda weight: weight @ values / weight.sum(1), torch.ones(30).double(), cells)
    assert found.standard_error.item() == pytest.approx(
        torch.tensor([13.5, 14.5, 15.5]).std().item() / 3**0.5, rel=1e-9
    )


def test_networks_and_their_data() -> None:
    evidence = Evidence(cases.together([cases.mlp(0), cases.mlp(1)]))
    data = read_measure(find("data-dimension-mle"), evidence)
    assert data.value[0] == data.value[1]
    hidden = read_measure(find("representation-dimension-mle"), evidence)
    assert (hidden.value < data.value).all()
    linear = read_measure(find("representation-dimension-two-nn"), Evidence(cases.linear().subject()))
    assert linear.statuses == (Status.NOT_APPLICABLE,)
