"""Capacity, radius, dimension and utility from draws whose answer is known, their identity, and their errors over seeds."""

import math

import numpy as np
import pytest
import torch
from tests import cases

from heldout.catalog import find, units
from heldout.engine.evidence.class_manifolds import ClassManifolds, LayerManifolds
from heldout.engine.evidence.reading_units import read_measure, read_profile
from heldout.engine.evidence.resolving import Evidence
from heldout.records import Status
from heldout.representation import manifold_capacity as unit

YES = torch.tensor(True)


def made(seed: int = 0, outside: float = 1.0) -> ClassManifolds:
    """Positive draws, and anchors for a share of them."""
    generator = torch.Generator().manual_seed(seed)
    a, extra, c, chance = (torch.rand(200, generator=generator, dtype=torch.float64) + 0.5 for _ in range(4))
    there = (torch.arange(200) < outside * 200).double()
    return ClassManifolds(a, (c + extra) * there, c * there, there, chance, torch.tensor(0.3), YES)


def test_capacity_is_utility_times_what_radius_and_dimension_give() -> None:
    for outside in (1.0, 0.7):
        known = made(outside=outside)
        capacity, radius, dimension, utility = (
            float(getattr(unit, f"manifold_{name}")(known).value)
            for name in ("capacity", "radius", "dimension", "utility")
        )
        assert capacity == pytest.approx(utility * (1 + radius**-2) / dimension, rel=1e-12)


def test_means_are_over_the_probes_that_have_anchors() -> None:
    known = made(outside=0.7)
    at = known.outside.bool()
    assert float(unit.manifold_dimension(known).value) == pytest.approx(float(known.axes[at].mean()), rel=1e-12)
    square = known.damped[at].sum() / (known.axes - known.damped)[at].sum()
    assert float(unit.manifold_radius(known).value) == pytest.approx(math.sqrt(square), rel=1e-12)


def test_without_anchors_there_is_a_capacity_and_no_geometry() -> None:
    known = made(outside=0.4)
    assert float(unit.manifold_capacity(known).value) > 0
    for name in ("dimension", "radius", "utility"):
        assert getattr(unit, f"manifold_{name}")(known).value.isnan()
    none = known._replace(axes=known.axes * 0, damped=known.damped * 0)
    assert unit.manifold_radius(none).value.isnan()


def test_points_have_radius_zero() -> None:
    one, zero = torch.ones(4), torch.zeros(4)
    points = ClassManifolds(one / 2, zero, zero, one, one, torch.tensor(0.0), YES)
    found = unit.manifold_radius(points)
    assert (found.value.item(), found.standard_error.item()) == (0.0, 0.0)
    assert unit.manifold_utility(points).value.item() == 0.0
    assert unit.manifold_dimension(points).value.item() == 0.0


@pytest.mark.parametrize("name", ["capacity", "capacity_over_chance", "dimension", "radius", "utility"])
def test_standard_errors_are_the_spread_over_seeds(name: str) -> None:
    found = [getattr(unit, f"manifold_{name}")(made(seed)) for seed in range(150)]
    spread = np.std([float(one.value) for one in found], ddof=1)
    said = np.sqrt(np.mean([float(one.standard_error) ** 2 for one in found]))
    # 150 draws know a standard deviation to 6 %; four and more of these are one in a hundred thousand
    assert said == pytest.approx(spread, rel=0.3)


def test_errors_do_not_hang_on_what_does_not_settle() -> None:
    lost = made()._replace(converged=torch.tensor(False))
    for measure in units("measure").values():
        if measure.needs == ("class_manifolds",):
            assert not measure.function(lost).converged


def test_random_labels_are_fitted_at_a_lower_capacity() -> None:
    sources = [Evidence(case().subject()) for case in (cases.generalizer, cases.memorizer)]
    for name in ("manifold-capacity", "manifold-capacity-over-chance"):
        true, random = (read_measure(find(name), source) for source in sources)
        apart = true.value[0] - random.value[0]
        assert apart > 5 * math.hypot(true.standard_error[0], random.standard_error[0])
        assert random.value[0] > (1.0 if "chance" in name else 0.0)


def test_the_profile_has_a_row_a_member_layer_and_class() -> None:
    evidence = Evidence(cases.together([cases.mlp(0), cases.mlp(1)]))
    rows = read_profile(units("profile")["manifold-geometry"], evidence).rows
    places = [(row["member"], row["place"], row["layer"], row["class"]) for row in rows]
    assert places == [(m, p, layer, c) for m in (0, 1) for p, layer in enumerate(("2", "4")) for c in (0, 1, 2)]
    known = evidence["layer_manifolds"]
    assert isinstance(known, LayerManifolds)
    for row in rows:
        whole, axes, damped = known.own[:, row["member"], row["place"], row["class"]].tolist()
        assert row["capacity"] == pytest.approx(1 / whole)
        assert row["radius"] == pytest.approx(math.sqrt(damped / (axes - damped)))
        assert row["capacity"] == pytest.approx(row["utility"] * (1 + row["radius"] ** -2) / row["dimension"])
        assert row["layer_capacity"] > row["capacity_by_chance"]


def test_a_regression_has_no_classes() -> None:
    reading = read_measure(find("manifold-capacity"), Evidence(cases.regression().subject()))
    assert reading.statuses == (Status.NOT_APPLICABLE,)
