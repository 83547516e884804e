"""Margins of mixtures and of augmented pictures."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tests import cases
from tests.oracles import inputs as oracle

from heldout.catalog import find
from heldout.engine.evidence.boundary import Distances
from heldout.engine.evidence.reading_units import read_measure
from heldout.engine.evidence.resolving import Evidence
from heldout.records import Status
from heldout.representation.perturbed_margins import augment_margin, five_numbers_mean, mixup_margin


def at(values: np.ndarray, typical: float) -> Distances:
    return Distances({"0": torch.as_tensor(values)}, {"0": torch.tensor(7.0)}, {"0": torch.tensor(typical)})


@given(values=st.lists(st.floats(-9, 9), min_size=1, max_size=40))
def test_the_winners_five_numbers(values: list[float]) -> None:
    d = np.array(values)
    assert five_numbers_mean(torch.as_tensor(d)).item() == pytest.approx(oracle.entry_five(d), rel=1e-6, abs=1e-6)


def test_outliers_stand_for_the_fences() -> None:
    d = np.array([-50.0, -20.0, 1, 1, 2, 2, 2, 3, 3, 30.0, 90.0])
    assert five_numbers_mean(torch.as_tensor(d)).item() == pytest.approx(np.mean([-20.0, 1.0, 2.0, 3.0, 30.0]))


@pytest.mark.parametrize("margin", [mixup_margin, augment_margin])
def test_value_and_jackknife_against_loops(margin: object) -> None:
    d = np.random.default_rng(0).normal(1.0, 2.0, size=57)
    found = margin(at(d, 4.0))  # type: ignore[operator]
    assert found.value.item() == pytest.approx(oracle.entry_five(d / 2), rel=1e-6)
    parts = [oracle.entry_five(np.array([v for i, v in enumerate(d[:50] / 2) if i % 10 != g])) for g in range(10)]
    error = np.sqrt(9 * np.mean([(p - np.mean(parts)) ** 2 for p in parts]))
    assert found.standard_error.item() == pytest.approx(error, rel=1e-6)


def test_few_points_and_no_number() -> None:
    assert mixup_margin(at(np.array([3.0]), 1.0)).standard_error.isnan()
    assert mixup_margin(at(np.array([3.0, 5.0]), 1.0)).standard_error.item() > 0
    assert mixup_margin(at(np.array([3.0, np.inf]), 1.0)).value.isnan()
    assert mixup_margin(at(np.array([3.0, 5.0]), 0.0)).value.isnan()


@pytest.mark.parametrize(
    ("name", "evidence"), [("mixup-margin", "mixed_distances"), ("augment-margin", "augmented_distances")]
)
def test_readings_of_networks(name: str, evidence: str) -> None:
    found = Evidence(cases.together([cases.cnn(0), cases.cnn(1)]))
    distances = found[evidence]
    reading = read_measure(find(name), found)
    for member in (0, 1):
        d = (distances.distance["0"][member] / distances.typical["0"][member].sqrt()).numpy()
        assert reading.value[member] == pytest.approx(oracle.entry_five(d), rel=1e-6)
        assert reading.standard_error[member] > 0


def test_a_network_that_learnt_the_classes_keeps_its_distance_from_mixtures() -> None:
    # Four networks each on the same inputs, seeds fixed.
    good, bad = (
        read_measure(find("mixup-margin"), Evidence(cases.together([make(seed) for seed in range(4)]))).value
        for make in (cases.generalizer, cases.memorizer)
    )
    assert good.min() > bad.max()


def test_what_cannot_be_says_why() -> None:
    for name, case in (
        ("mixup-margin", cases.linear()),
        ("augment-margin", cases.mlp()),
        ("augment-margin", cases.lstm()),
    ):
        reading = read_measure(find(name), Evidence(case.subject()))
        assert reading.statuses == (Status.NOT_APPLICABLE,)
