"""Selection between solutions of a toy model of superposition: the smoke run, closed forms of its parts, tables made by hand."""

import math

import numpy as np
import pandas as pd
import pytest
import torch

import heldout
from heldout.studies import superposition_selection as study


def test_the_smoke_run_reproduces_every_claim_at_the_coefficients_of_the_paper() -> None:
    """Six features: 18 parameters less one turn; five: three more that move nothing. 17 / 2 and 14 / 2."""
    record = heldout.study("superposition-selection")
    assert [claim["verdict"] for claim in record.claims] == ["reproduced"] * 3
    coefficients = record.table.groupby("solution").coefficient.agg(["min", "max"])
    assert coefficients.loc["complex"].tolist() == [8.5, 8.5]
    assert coefficients.loc["simple"].tolist() == [7.0, 7.0]
    assert len(record.figure().to_dict()["layer"]) == 2  # lines and their bands


@pytest.mark.slow
def test_a_narrower_prior_makes_the_swap_come_sooner_as_the_notes_say() -> None:
    record = heldout.study("superposition-selection", precision=10.0, members=2)
    assert study.swap(record.table).n.to_numpy() == pytest.approx(220, rel=0.1)


def test_losses_and_curvatures_of_one_feature() -> None:
    """One column of length a and a bias: ``relu(a^2 x + b)`` at x = 1, whose derivatives are written out."""
    a, b = 1.1, -0.05
    weights = torch.tensor([[a, 0.0, b]], dtype=torch.float64)
    losses, curvatures = study.losses_and_curvatures(weights, torch.ones(1, 1, dtype=torch.float64), 1)
    off = a**2 + b - 1
    assert losses == pytest.approx([0.5 * off**2])
    hessian = np.array([[4 * a**2 + 2 * off, 0, 2 * a], [0, 2 * off, 0], [2 * a, 0, 1]])
    assert curvatures[0] == pytest.approx(np.linalg.eigvalsh(hessian).clip(0), abs=1e-9)


def test_a_dropped_feature_leaves_three_directions_flat_and_every_setting_matters() -> None:
    small = {"features": 5, "kept": 4, "members": 1, "steps": 300, "seed": 0}
    table = pd.DataFrame(study.superposition_selection(**small))
    for change in (
        {"levels": 5},
        {"lr": 1.0},
        {"precision": 10.0},
        {"seed": 1},
        {"steps": 30},
        {"kept": 3},
        {"members": 2},
    ):
        assert not pd.DataFrame(study.superposition_selection(**{**small, **change})).equals(table), change


def test_statistics_of_a_table_made_by_hand() -> None:
    sizes = [10.0, 100.0, 1000.0, 10_000.0]
    rows = [
        {"member": member, "solution": name, "n": n, "loss": loss, "coefficient": value,
         "free_energy": n * loss + value * math.log(n) + member}
        for member in (0, 1) for name, loss, value in (("simple", 0.02, 2.0), ("complex", 0.01, 3.0)) for n in sizes
    ]  # fmt: skip
    table = pd.DataFrame(rows)
    assert study.coefficient_gap(table) == pytest.approx([1.0, 1.0])
    assert study.coefficient_gap_by_count(table) == [0.0, 0.0]
    assert study.excess_with_few(table) == pytest.approx([math.log(100) - 1.0] * 2)
    assert study.excess_with_many(table) == pytest.approx([math.log(10_000) - 100.0] * 2)
    assert study.swap(table).n.tolist() == [100.0, 100.0]
    assert study.swap(table).ratio.tolist() == pytest.approx([100.0, 100.0])
    assert study.miss(table) == pytest.approx([math.log(math.log(100))] * 2)
    assert study.miss_without_logarithm(table) == pytest.approx([0.0, 0.0], abs=1e-12)
    assert np.isnan(study.swap(table[table.n < 1000]).n).all()  # the simple one still wins at the end: they do not swap
    drawn = study.curves(table)
    energy = drawn[(drawn.curve == "free energy") & (drawn.x == 100.0)]
    assert energy.y.tolist() == pytest.approx([math.log(100) - 1.0])
    assert drawn[(drawn.curve == "complexity") & (drawn.x == 10.0)].y.tolist() == pytest.approx([math.log(10)])
