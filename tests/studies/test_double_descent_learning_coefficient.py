"""The coefficient along width: statistics of tables made by hand, one tiny run, and every setting."""

import math

import numpy as np
import pandas as pd
import pytest

from heldout.studies import double_descent_learning_coefficient as study

TINY = {
    "width": 2, "examples": 30, "steps": 60, "members": 2, "inputs": 6, "draws": 50, "precision": 0.5, "seed": 0,
}  # fmt: skip


def made() -> pd.DataFrame:
    rows = []
    for width, value, alike, train in ((2, 10.0, 10.0, 0.4), (4, 20.0, 15.0, 0.1), (8, 40.0, 30.0, 0.0), (16, 20.0, 30.0, 0.0)):
        rows += [
            {"width": width, "member": m, "coefficient": value, "coefficient_alike": alike, "half": 10.0 * width,
             "quadratic": value, "train_error": train, "test_error": 0.3, "status": "ok"}
            for m in (0, 1)
        ]  # fmt: skip
    return pd.DataFrame(rows)


def test_statistics_of_a_table_made_by_hand() -> None:
    table = made()
    assert study.rise(table) == pytest.approx([math.log(4)] * 2)
    assert study.fall(table) == pytest.approx([math.log(2)] * 2)
    assert study.fall_by_count(table) == pytest.approx([0.0] * 2)
    assert study.fall_held_alike(table) == pytest.approx([0.0] * 2)
    assert study.distance_from_threshold(table) == pytest.approx([0.0])
    assert math.isnan(study.distance_from_threshold(table.assign(train_error=0.3))[0])
    drawn = study.drawn(table)
    assert set(drawn.panel) == {"learning coefficient", "error", "readings refused"}
    assert set(drawn[drawn.panel == "readings refused"].y) == {0.0}


def test_a_width_without_a_number_is_passed_over_but_the_widest_is_needed() -> None:
    table = made()
    table.loc[(table.width == 8) & (table.member == 0), ["coefficient", "status"]] = np.nan, "not-converged"
    assert study.fall(table) == pytest.approx([0.0, math.log(2)])  # of member 0 the largest that is known is 20
    assert study.drawn(table).query("panel == 'readings refused' and x == 8").y.tolist() == [0.5]
    table.loc[(table.width == 16) & (table.member == 0), "coefficient"] = np.nan
    assert [math.isnan(each) for each in study.fall(table)] == [True, False]


def test_a_tiny_run_has_its_columns_and_every_setting_matters() -> None:
    table = study.double_descent_learning_coefficient(**TINY)
    assert table["half"] == [(6 * 2 + 2 + 2 * 10 + 10) / 2] * 2
    for name, status in (("coefficient", "status"), ("coefficient_alike", "status_alike")):
        for value, said in zip(table[name], table[status], strict=True):
            assert math.isnan(value) == (said != "ok")
    for change in ({"label_noise": 0.8}, {"chains": 2}, {"seed": 1}):
        other = study.double_descent_learning_coefficient(**{**TINY, **change})
        assert other["quadratic"] + other["coefficient"] != table["quadratic"] + table["coefficient"], change
    held = study.double_descent_learning_coefficient(**{**TINY, "alike": 30.0})
    assert held["coefficient_alike"] != table["coefficient_alike"]
    assert held["quadratic"] == table["quadratic"]
    cut = study.double_descent_learning_coefficient(**{**TINY, "budget": 60.0})
    assert set(cut["status"]) == {"not-converged"}
