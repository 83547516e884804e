"""Double descent in least squares: the draws against an independent solution, the statistics against tables made by hand."""

import numpy as np
import pandas as pd
import pytest

import heldout
from heldout.studies import double_descent_least_squares as study


def test_risks_are_those_of_the_pseudo_inverse_and_of_the_normal_equations() -> None:
    table = study.double_descent_least_squares(examples=12, dimension=9, repetitions=3, signal=2.0, noise=0.7, seed=5)
    draw = np.random.default_rng([5, 12])
    x = draw.standard_normal((3, 12, 9))
    beta = np.full(9, 2 / 3)
    y = x @ beta + 0.7 * draw.standard_normal((3, 12))
    for repetition in range(3):
        plain = np.linalg.pinv(x[repetition]) @ y[repetition]
        gram = x[repetition].T @ x[repetition] + 9 * 0.7**2 / 4 * np.eye(9)
        ridged = np.linalg.solve(gram, x[repetition].T @ y[repetition])
        assert table["ridgeless"][repetition] == pytest.approx(((plain - beta) ** 2).sum(), rel=1e-9)
        assert table["ridge"][repetition] == pytest.approx(((ridged - beta) ** 2).sum(), rel=1e-9)


def test_the_smoke_run_reproduces_every_claim() -> None:
    record = heldout.study("double-descent-least-squares")
    assert [claim["verdict"] for claim in record.claims] == ["reproduced"] * 3
    assert record.figure().to_dict()["layer"][0]["encoding"]["y"]["scale"]["type"] == "log"


def test_without_noise_there_is_no_peak() -> None:
    record = heldout.study("double-descent-least-squares", noise=0.0, repetitions=100)
    assert record.claims[1]["verdict"] != "reproduced"
    assert record.size == "smoke, changed"


def test_statistics_of_a_table_made_by_hand() -> None:
    rows = [
        {"examples": n, "dimension": 4, "fold": fold, "ridgeless": risk, "ridge": 1 / n, "theory": 2.0}
        for n, risk in ((2, 1.0), (4, 8.0), (8, 2.0))
        for fold in (0, 1)
    ]
    table = pd.DataFrame(rows)
    assert study.peak_without_ridge(table) == pytest.approx([np.log(4)] * 2)
    assert study.rise_without_ridge(table) == pytest.approx([np.log(8)] * 2)
    assert study.rise_with_optimal_ridge(table) == pytest.approx([np.log(0.5)] * 2)
    assert study.deviation_from_theory(table.assign(dimension=20)) == pytest.approx([3.0])


def test_minimum_norm_below_the_threshold() -> None:
    table = study.double_descent_least_squares(examples=6, dimension=9, repetitions=2, signal=3.0, noise=0.2, seed=7)
    draw = np.random.default_rng([7, 6])
    x = draw.standard_normal((2, 6, 9))
    y = x.sum(2) + 0.2 * draw.standard_normal((2, 6))
    for repetition in range(2):
        dual = np.linalg.solve(x[repetition] @ x[repetition].T, y[repetition])
        risk = ((x[repetition].T @ dual - 1) ** 2).sum()
        assert table["ridgeless"][repetition] == pytest.approx(risk, rel=1e-9)
    assert list(table["fold"]) == [0, 5]


@pytest.mark.parametrize(
    ("examples", "risk"), [(14, 4 * 9 / 4), (5, 9 * (1 - 5 / 9) + 4 * 5 / 3), (9, np.inf), (10, np.inf), (8, np.inf)]
)
def test_the_closed_form_on_both_sides_and_at_the_threshold(examples: int, risk: float) -> None:
    table = study.double_descent_least_squares(
        examples=examples, dimension=9, repetitions=1, signal=3.0, noise=2.0, seed=0
    )
    assert table["theory"] == pytest.approx([risk])
