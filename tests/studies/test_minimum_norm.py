"""The interpolator that gradient descent finds: steps against matrix powers, limits against projections."""

import numpy as np
import pandas as pd
import pytest

import heldout
from heldout.studies import minimum_norm as study

SETTINGS = {"examples": 3, "dimension": 8, "members": 2, "noise": 0.9, "start": 2.5, "seed": 11}


def drawn(member: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Inputs, labels and random start, from the same draws."""
    draw = np.random.default_rng(11)
    x, teacher = draw.standard_normal((2, 3, 8))[member], draw.standard_normal((2, 8))[member]
    y = x @ teacher / np.linalg.norm(teacher) + 0.9 * draw.standard_normal((2, 3))[member]
    return x, y, 2.5 / np.sqrt(8) * draw.standard_normal((2, 8))[member]


@pytest.mark.parametrize("arm", ["zero", "elsewhere"])
def test_every_step_is_that_of_the_closed_form(arm: str) -> None:
    table = pd.DataFrame(study.minimum_norm(arm=arm, steps=30, **SETTINGS))
    for member in (0, 1):
        x, y, begun = drawn(member)
        begun = begun * (arm == "elsewhere")
        minimum = x.T @ np.linalg.solve(x @ x.T, y)
        nearest = begun + x.T @ np.linalg.solve(x @ x.T, y - x @ begun)
        matrix = np.eye(8) - x.T @ x / np.linalg.eigvalsh(x @ x.T).max()
        for _, row in table[table.member == member].iterrows():
            w = nearest + np.linalg.matrix_power(matrix, int(row.step)) @ (begun - nearest)
            scale = np.linalg.norm(minimum)
            assert row.to_minimum == pytest.approx(np.linalg.norm(w - minimum) / scale, rel=1e-8, abs=1e-12)
            assert row.to_nearest == pytest.approx(np.linalg.norm(w - nearest) / scale, rel=1e-8, abs=1e-12)
            assert row.misfit == pytest.approx(np.linalg.norm(x @ w - y) / np.linalg.norm(y), rel=1e-8, abs=1e-12)


def test_batches_of_one_leave_the_solution_in_the_span_and_differ_from_the_full_gradient() -> None:
    one = study.minimum_norm(arm="stochastic", steps=20, batch_size=1, **SETTINGS)
    two = study.minimum_norm(arm="stochastic", steps=20, batch_size=2, **SETTINGS)
    assert one["misfit"] != two["misfit"]
    long = study.minimum_norm(arm="stochastic", steps=800, batch_size=1, **SETTINGS)
    assert max(long["to_minimum"][-2:]) < 1e-8


def test_the_smoke_run_reproduces_every_claim() -> None:
    record = heldout.study("minimum-norm")
    assert [claim["verdict"] for claim in record.claims] == ["reproduced"] * 5
    assert record.figure().to_dict()["facet"]["field"] == "panel"


def test_with_as_many_examples_as_dimensions_the_start_does_not_matter() -> None:
    """Nothing lies outside the span: one interpolator only."""
    table = study.minimum_norm(
        arm="elsewhere", examples=3, dimension=2, steps=800, members=3, noise=0.0, start=5.0, seed=1
    )
    assert max(table["to_minimum"][-3:]) < 1e-6


def test_statistics_of_a_table_made_by_hand() -> None:
    last = {"zero": (0.0, 0.1, 1.0), "elsewhere": (10.0, 1e-3, 1.0), "stochastic": (1e-4, 1, 1), "adam": (1, 1, 1e-5)}
    rows = [
        {"arm": arm, "member": member, "dimension": 7, "step": step, "to_minimum": values[0] if step else 5.0,
         "to_nearest": values[1], "misfit": values[2]}
        for arm, values in last.items() for member in (0, 1) for step in (0, 9)
    ]  # fmt: skip
    table = pd.DataFrame(rows)
    assert study.from_zero(table) == pytest.approx([-16.0] * 2)
    assert study.from_elsewhere(table) == pytest.approx([1.0] * 2)
    assert study.elsewhere_to_projection(table) == pytest.approx([-3.0] * 2)
    assert study.stochastic_from_zero(table) == pytest.approx([-4.0] * 2)
    assert study.adam_from_zero(table) == pytest.approx([0.0] * 2)
    assert study.adam_misfit(table) == pytest.approx([-5.0] * 2)
    drawn_rows = study.curves(table)
    assert len(drawn_rows) == 5
    assert set(drawn_rows.panel) == {"7 dimensions"}
