"""Three factors of the peak: every arm against a solution draw by draw, statistics against hand-made tables."""

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_diabetes

import heldout
from heldout.studies import double_descent_demystified as study

NAME = "double-descent-demystified"


@pytest.mark.parametrize("examples", [3, 5, 9])
def test_every_arm_is_that_of_truncated_pseudo_inverses(examples: int) -> None:
    made = np.random.default_rng(0)
    own = (made.standard_normal((24, 5)) * [5, 1, 2, 0.3, 3] + 7, made.standard_normal(24) * 2 - 1)
    table = study.double_descent_demystified(
        examples=examples, repetitions=4, cutoff=0.4, directions=2, data=own, seed=6
    )
    x, y = (own[0] - own[0].mean(0)) / own[0].std(0), (own[1] - own[1].mean()) / own[1].std()
    linear = x @ np.linalg.solve(x.T @ x, x.T @ y)
    orders = np.random.default_rng([6, examples]).random((4, 24)).argsort(1)
    for draw in range(4):
        train, test = orders[draw, :examples], orders[draw, examples:]
        values, vectors = np.linalg.eigh(x[train].T @ x[train])
        leading = vectors[:, ::-1][:, :2]
        expected = {
            "plain": x[test] @ np.linalg.pinv(x[train]) @ y[train] - y[test],
            "cut": x[test] @ np.linalg.pinv(x[train], rcond=0.4) @ y[train] - y[test],
            "projected": x[test] @ leading @ leading.T @ np.linalg.pinv(x[train]) @ y[train] - y[test],
            "linear": x[test] @ np.linalg.pinv(x[train]) @ linear[train] - linear[test],
        }
        for arm, errors in expected.items():
            assert table[arm][draw] == pytest.approx((errors**2).mean(), rel=1e-7, abs=1e-18), arm
        assert table["smallest"][draw] == pytest.approx(np.sqrt(values[-min(examples, 5)]), rel=1e-6)
    assert (table["dimension"] == 5).all()


def test_the_default_data_are_the_diabetes_patients() -> None:
    own = load_diabetes(return_X_y=True)
    given = study.double_descent_demystified(examples=10, repetitions=3, data=own, seed=1)
    default = study.double_descent_demystified(examples=10, repetitions=3, seed=1)
    assert (given["plain"] == default["plain"]).all()


def test_the_smoke_run_reproduces_every_claim() -> None:
    record = heldout.study(NAME)
    assert [claim["verdict"] for claim in record.claims] == ["reproduced"] * 3
    assert len(record.figure().to_dict()["layer"]) == 1


def test_without_a_cut_the_small_values_bring_the_peak_back() -> None:
    record = heldout.study(NAME, cutoff=0.0, directions=10, repetitions=200)
    assert [claim["verdict"] for claim in record.claims] == ["not reproduced", "not reproduced", "reproduced"]


def test_a_grid_without_the_threshold_decides_nothing() -> None:
    record = heldout.study(NAME, examples=[5, 20], repetitions=20)
    assert [claim["verdict"] for claim in record.claims] == ["underpowered"] * 3


def test_statistics_of_a_table_made_by_hand() -> None:
    rows = [
        {"examples": n, "fold": fold, "dimension": 4, "plain": risk, "cut": 1 / n, "projected": float(n),
         "linear": 0.0 if n >= 4 else 1e-3}
        for n, risk in ((2, 1.0), (4, 12.0), (8, 3.0)) for fold in (0, 1)
    ]  # fmt: skip
    table = pd.DataFrame(rows)
    assert study.peak_plain(table) == pytest.approx([np.log(4)] * 2)
    assert study.peak_cut(table) == pytest.approx([np.log(0.5)] * 2)
    assert study.peak_projected(table) == pytest.approx([np.log(0.5)] * 2)
    assert study.peak_linear(table) == pytest.approx([np.log(1e-9)] * 2)
    assert len(study.curves(table)) == 12
