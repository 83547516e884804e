"""Grokking in ridge regression: the closed form against gradient descent step by step, statistics against hand-made tables."""

import numpy as np
import pandas as pd
import pytest

import heldout
from heldout.studies import ridge_grokking as study

SETTINGS = {"ridge": 0.02, "start": 1.7, "dimension": 9, "examples": 4, "signal": 0.8, "target": 0.05, "lr": 0.15}


def descended(member: int, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Training and test errors after every step, from the same draws."""
    draw = np.random.default_rng(3)
    inputs = draw.standard_normal((2, 4, 9))
    coordinates, begun = draw.standard_normal((2, 4))[member], draw.standard_normal((2, 9))[member]
    x = inputs[member]
    right = np.linalg.svd(inputs, full_matrices=False)[2][member]
    teacher = 0.8 * right.T @ coordinates / np.linalg.norm(coordinates)
    w, train, test = 1.7 * begun / np.linalg.norm(begun), [], []
    for _ in range(steps + 1):
        train.append(((x @ (w - teacher)) ** 2).mean())
        test.append(((w - teacher) ** 2).sum())
        w = w - 0.15 * (x.T @ (x @ w - x @ teacher) / 4 + 0.02 * w)
    return np.array(train), np.array(test)


def test_errors_and_arrivals_are_those_of_gradient_descent() -> None:
    table = pd.DataFrame(study.ridge_grokking(members=2, seed=3, **SETTINGS))
    for member in (0, 1):
        rows = table[table.member == member]
        train, test = descended(member, int(rows.step.max()))
        assert rows.train.to_numpy() == pytest.approx(train[rows.step], rel=1e-8)
        assert rows.test.to_numpy() == pytest.approx(test[rows.step], rel=1e-8)
        assert (rows.fitted_at == (train <= 0.05).argmax()).all()
        assert (rows.generalized_at == (test <= 0.05).argmax()).all()
        assert rows.theory.to_numpy() == pytest.approx(np.log(1.7**2 * 5 / 9 / 0.05) / (2 * 0.15 * 0.02))


def test_a_target_that_is_never_met_is_infinitely_far() -> None:
    table = study.ridge_grokking(members=2, seed=3, **{**SETTINGS, "ridge": 1.0, "target": 1e-9})
    assert np.isinf(table["generalized_at"]).all()


def test_the_smoke_run_reproduces_every_claim() -> None:
    record = heldout.study("ridge-grokking")
    assert [claim["verdict"] for claim in record.claims] == ["reproduced"] * 3
    assert record.figure().to_dict()["facet"]["field"] == "panel"


def test_as_many_examples_as_dimensions_leave_nothing_to_forget() -> None:
    record = heldout.study("ridge-grokking", dimension=100, examples=2000, start=[0.0, 1.0], members=2)
    assert record.claims[1]["verdict"] == "not reproduced"
    assert (record.table.theory == 0).all()


def test_one_ridge_and_no_start_of_norm_one_decide_nothing() -> None:
    record = heldout.study("ridge-grokking", start=[2.0], ridge=[0.01], members=2)
    assert [claim["verdict"] for claim in record.claims] == ["underpowered", "underpowered", "reproduced"]
    alone = heldout.study("ridge-grokking", start=[1.0], ridge=[0.01], members=2)
    assert alone.claims[0]["verdict"] == "underpowered"


def test_statistics_of_a_table_made_by_hand() -> None:
    rows = [
        {"member": member, "ridge": ridge, "start": start, "step": step, "train": 1.0, "test": 2.0, "fitted_at": 10.0,
         "generalized_at": 10.0 + start * (np.sqrt(1 / ridge) - 10), "theory": 20.0}
        for member in (0, 1) for ridge in (0.01, 0.0001, 0.000001) for start in (0.0, 1.0) for step in (1, 5)
    ]  # fmt: skip
    table = pd.DataFrame(rows)
    assert study.pace_of_generalizing(table) == pytest.approx([0.5] * 2)
    assert study.pace_of_fitting(table) == pytest.approx([1.0] * 2)
    assert study.delay_from_one(table) == pytest.approx([np.log(10)] * 2)
    assert study.delay_from_zero(table) == pytest.approx([0.0] * 2)
    assert study.deviation_from_theory(table) == pytest.approx([49.0])
    assert set(study.curves(table).panel) == {
        f"{error} error, start of norm {start}" for error in ("training", "test") for start in (0, 1)
    }
