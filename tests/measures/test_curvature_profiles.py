"""Smoothed spectra: their integral, their place, their band."""

import math

import numpy as np
import pytest
import torch
from tests import cases

from heldout.catalog import find
from heldout.engine.evidence.reading_units import read_profile
from heldout.engine.evidence.resolving import Evidence
from heldout.measures.curvature_profiles import smoothed


def test_a_curve_integrates_to_one_and_each_eigenvalue_to_its_weight() -> None:
    values = torch.tensor([[[0.0, 10.0]], [[-2.0, 4.0]]], dtype=torch.float64)
    weights = torch.tensor([[[0.75, 0.25]], [[0.5, 0.5]]], dtype=torch.float64)
    grid, density, _ = smoothed(values.expand(2, 2, 2), weights.expand(2, 2, 2))
    for member, (middle, left) in enumerate(((5.0, 0.75), (1.0, 0.5))):
        steps = np.trapezoid(density[member], grid[member]) if hasattr(np, "trapezoid") else None
        if steps is not None:
            assert steps == pytest.approx(1, abs=3e-3)  # what lies beyond three widths
        below = grid[member] < middle
        spacing = (grid[member][1] - grid[member][0]).item()
        assert (density[member][below].sum() * spacing).item() == pytest.approx(left, abs=3e-3)


def test_the_height_and_the_band_of_one_eigenvalue() -> None:
    values = torch.tensor([[[0.0, 6.0], [0.0, 6.0]]], dtype=torch.float64)
    weights = torch.tensor([[[1.0, 0.0], [0.5, 0.5]]], dtype=torch.float64)
    grid, density, error = smoothed(values, weights)
    place = grid[0].abs().argmin()
    highest = 1 / (math.sqrt(2 * math.pi) * 0.1)  # width 6 / 60
    off = math.exp(-((grid[0, place].item() / 0.1) ** 2) / 2)
    assert density[0, place].item() == pytest.approx(0.75 * highest * off, rel=1e-6)
    assert error[0, place].item() == pytest.approx(0.25 * highest * off, rel=1e-6)  # (1 - 0.5) / sqrt(2) / sqrt(2)


def test_the_table_of_networks() -> None:
    rows = read_profile(find("curvature-density"), Evidence(cases.together([cases.mlp(seed=s) for s in range(9)]))).rows
    assert {row["member"] for row in rows} == set(range(8))
    assert {row["matrix"] for row in rows} == {"Hessian", "Gauss-Newton"}
    assert all(row["low"] <= row["density"] <= row["high"] for row in rows)
    largest = {(row["member"], row["matrix"]): row["eigenvalue"] for row in rows}  # rows ascend
    tops = Evidence(cases.together([cases.mlp(seed=s) for s in range(8)]))["hessian_curvature"].largest
    for member in range(8):
        assert tops[member] < largest[member, "Hessian"] < 1.3 * tops[member]
