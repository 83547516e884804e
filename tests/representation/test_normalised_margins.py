"""Normalised margins: hand-worked, against loops, and at work on networks that generalize and that memorize."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tests import cases
from torch import Tensor, nn

from heldout.catalog import find
from heldout.engine.evidence.boundary import Distances
from heldout.engine.evidence.reading_units import read_measure, read_profile
from heldout.engine.evidence.resolving import Evidence
from heldout.engine.subject import Subject
from heldout.records import Status
from heldout.representation.normalised_margins import (
    normalised_margin_all_layers,
    normalised_margin_hidden,
    normalised_margin_input,
)

INPUT = ("normalised-margin-input", "normalised-margin-hidden", "normalised-margin-all-layers")
numbers = st.lists(st.floats(-9, 9), min_size=1, max_size=25)


def at(values: list[float], variance: float = 1.0) -> Distances:
    return Distances(
        {"0": torch.tensor(values, dtype=torch.float64)}, {"0": torch.tensor(variance)}, {"0": torch.tensor(1.0)}
    )


def test_a_linear_network_by_hand() -> None:
    network = nn.Linear(2, 2)
    with torch.no_grad():
        network.weight.copy_(torch.tensor([[3.0, 4.0], [0.0, 0.0]]))
        network.bias.zero_()
    # distances from the line 3 a + 4 b = 0: 5, 10 and 3; the fourth point is on the wrong side
    x, y = torch.tensor([[3.0, 4.0], [-6.0, -8.0], [5.0, 0.0], [0.0, 5.0]]), torch.tensor([0, 1, 0, 1])
    spread = np.sqrt(np.var(x.numpy(), axis=0).sum())
    evidence = Evidence(Subject(network, (x, y)))
    reading = read_measure(find("normalised-margin-input"), evidence)
    assert reading.value.tolist() == pytest.approx([5.0 / spread], rel=1e-5)
    assert read_measure(find("normalised-margin-all-layers"), evidence).value.tolist() == pytest.approx(
        [5.0 / spread], rel=1e-5
    )
    rows = read_profile(find("normalised-margin-signature"), evidence).rows
    assert [row["statistic"] for row in rows] == [
        "lower fence",
        "first quartile",
        "median",
        "third quartile",
        "upper fence",
    ]
    expected = np.array([3.0, 4.0, 5.0, 7.5, 10.0]) / spread
    assert [row["value"] for row in rows] == pytest.approx(expected.tolist(), rel=1e-5)
    assert {row["layer"] for row in rows} == {"input"}


@given(values=numbers, variance=st.floats(0.1, 10))
def test_only_the_correctly_classified_count(values: list[float], variance: float) -> None:
    found = normalised_margin_hidden(at(values, variance))
    right = [v for v in values if v > 0]
    if right:
        assert found.value.item() == pytest.approx(np.median(right) / np.sqrt(variance), rel=1e-6)
        low, high = np.quantile(right, np.clip([0.5 - 0.5 / len(right) ** 0.5, 0.5 + 0.5 / len(right) ** 0.5], 0, 1))
        assert found.standard_error.item() == pytest.approx((high - low) / 2 / np.sqrt(variance), rel=1e-5, abs=1e-9)
    else:
        assert found.value.isnan()
        assert found.standard_error.isnan()


def test_the_standard_error_of_the_median_is_that_of_a_median() -> None:
    # Medians of 400 uniform numbers have deviation 1 / (2 sqrt 400) = 0.025; over 500 draws the mean of the estimates is near it.
    draws = torch.rand(500, 400, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    errors = [normalised_margin_input(Distances({"": d}, {"": torch.tensor(1.0)}, {})).standard_error for d in draws]
    assert torch.stack(errors).mean().item() == pytest.approx(0.025, rel=0.1)


def test_layers_are_multiplied_point_by_point() -> None:
    generator = torch.Generator().manual_seed(0)
    first, second = torch.rand(2, 9, generator=generator, dtype=torch.float64)
    sign = torch.tensor([1.0, 1, 1, -1, 1, 1, 1, 1, -1])
    one = torch.tensor(1.0)
    found = normalised_margin_all_layers(Distances({"": sign * first, "0": sign * second}, {"": one, "0": 4 * one}, {}))
    expected = np.median([
        (float(a) * float(b) / 2) ** 0.5 for a, b, s in zip(first, second, sign, strict=True) if s > 0
    ])
    assert found.value.item() == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("values", [[-1.0, -2.0], [float("inf"), float("inf"), 1.0], [1.0, float("nan")]])
def test_no_number_where_there_is_none(values: list[float]) -> None:
    assert normalised_margin_hidden(at(values)).value.isnan()
    assert normalised_margin_hidden(at([1.0], variance=0.0)).value.isnan()


def test_dead_units_are_said() -> None:
    network = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 2))
    with torch.no_grad():
        network[0].bias.fill_(-100.0)
    x: Tensor = torch.randn(8, 2, generator=torch.Generator().manual_seed(0))
    reading = read_measure(find("normalised-margin-hidden"), Evidence(Subject(network, (x, torch.arange(8) % 2))))
    assert reading.statuses == (Status.UNDEFINED,)
    assert "do not depend" in reading.reasons[0]


def test_tokens_have_a_margin_at_the_embedding_only() -> None:
    evidence = Evidence(cases.token_transformer().subject())
    statuses = [read_measure(find(name), evidence).statuses[0] for name in INPUT]
    assert statuses == [Status.NOT_APPLICABLE, Status.OK, Status.OK]
    rows = read_profile(find("normalised-margin-signature"), evidence).rows
    assert [row["layer"] for row in rows[::5]] == ["embedding", "body.norm1 (input)", "body.norm2 (input)"]


def test_networks_that_learnt_the_classes_have_larger_margins() -> None:
    # Four networks each on the same inputs, seeds fixed; true labels are farther from the boundary.
    for name in INPUT:
        good, bad = (
            read_measure(find(name), Evidence(cases.together([make(seed) for seed in range(4)]))).value
            for make in (cases.generalizer, cases.memorizer)
        )
        assert good.min() > bad.max(), name
