"""Quantiles against NumPy's, five numbers against matplotlib's rule written out."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from heldout.engine.numerics.quantiles import five_numbers, sorted_quantile

numbers = st.lists(st.floats(-1e3, 1e3, width=32), min_size=1, max_size=30)


@given(values=numbers, quantile=st.floats(0, 1), hidden=st.integers(0, 5))
def test_quantiles_of_the_first_so_many(values: list[float], quantile: float, hidden: int) -> None:
    ordered = torch.tensor(sorted(values) + [float("inf")] * hidden, dtype=torch.float64)
    found = sorted_quantile(ordered, quantile, torch.tensor(len(values)))
    assert found.item() == pytest.approx(np.quantile(values, quantile), rel=1e-9, abs=1e-9)


def test_rows_have_counts_and_quantiles_of_their_own() -> None:
    ordered = torch.tensor([[1.0, 2.0, 3.0], [1.0, 2.0, 3.0], [1.0, 2.0, 3.0]])
    found = sorted_quantile(ordered, torch.tensor([0.5, 1.0, 0.5]), torch.tensor([3, 2, 0]))
    assert found[:2].tolist() == [2.0, 2.0]
    assert found[2].isnan()


def test_infinite_neighbours_give_no_nan() -> None:
    inf = float("inf")
    assert sorted_quantile(torch.tensor([1.0, inf, inf]), 0.75).item() == inf


@given(values=numbers)
def test_five_numbers(values: list[float]) -> None:
    least, *quartiles, most = np.percentile(values, [0, 25, 50, 75, 100])
    reach = 1.5 * (quartiles[2] - quartiles[0])
    expected = [max(least, quartiles[0] - reach), *quartiles, min(most, quartiles[2] + reach)]
    found = five_numbers(torch.tensor(sorted(values), dtype=torch.float64))
    assert found.tolist() == pytest.approx(expected, rel=1e-9, abs=1e-9)
