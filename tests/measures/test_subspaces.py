"""Dimension and description length from curves that are known."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from heldout.measures.subspaces import description_length, objective_dimension, subspace_curve

Training = tuple[torch.Tensor, ...]


def training(
    accuracies: list[float], *, start: float = 0.2, own: float = 1.0, bits: list[float] | None = None
) -> Training:
    numbers = ([2.0**k for k in range(len(accuracies))], accuracies, bits or [90.0] * len(accuracies), 95.0, start, own)
    return tuple(torch.tensor(number, dtype=torch.float64) for number in numbers)


def test_the_crossing_is_read_off_a_line_in_the_logarithm() -> None:
    found = objective_dimension(training([0.3, 0.5, 0.7, 0.95]))  # 0.9 is four fifths of the way from 4 to 8
    assert found.value.item() == pytest.approx(4 * 2**0.8)
    assert (found.low.item(), found.high.item()) == (4, 8)
    assert bool(found.converged)


def test_the_mark_follows_the_networks_own_accuracy() -> None:
    assert objective_dimension(training([0.3, 0.45, 0.7], own=0.5)).value.item() == pytest.approx(2)
    assert objective_dimension(training([0.3, 0.5, 0.7], own=0.0, start=0.1)).value.item() == 0


def test_the_first_dimension_that_is_enough_counts() -> None:
    found = objective_dimension(training([0.3, 0.9, 0.8, 1.0]))
    assert found.value.item() == pytest.approx(2)
    assert objective_dimension(training([0.95, 1.0])).value.item() == 1
    assert objective_dimension(training([0.95, 1.0])).low.item() == 0


def test_an_untrained_network_that_is_good_enough_needs_none() -> None:
    found = objective_dimension(training([0.5, 1.0], start=0.95))
    assert (found.value.item(), found.low.item(), found.high.item()) == (0, 0, 0)


def test_no_dimension_is_enough() -> None:
    assert not bool(objective_dimension(training([0.3, 0.5])).converged)


@given(st.lists(st.floats(0, 1), min_size=2, max_size=8), st.floats(0.1, 1))
def test_the_value_lies_in_its_interval(accuracies: list[float], own: float) -> None:
    found = objective_dimension(training(accuracies, own=own, start=0.0))
    if bool(found.converged):
        assert found.low.item() - 1e-9 <= found.value.item() <= found.high.item() + 1e-9


def test_the_shortest_code_counts_that_of_the_start_too() -> None:
    assert description_length(training([0.3, 0.5], bits=[97.0, 91.0])).item() == 91
    assert description_length(training([0.3, 0.5], bits=[97.0, 99.0])).item() == 95


def test_the_curve_begins_with_the_untrained_network() -> None:
    whole = tuple(number[None] for number in training([0.3, 0.5], bits=[80.0, 85.0]))
    table = subspace_curve(whole)
    assert table == {
        "member": [0, 0, 0], "dimension": [0, 1, 2], "accuracy": [0.2, 0.3, 0.5], "bits": [95.0, 80.0, 85.0],
    }  # fmt: skip
