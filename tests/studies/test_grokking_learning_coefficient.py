"""The coefficient along grokking: statistics of tables made by hand, one tiny run, and every setting."""

import math

import numpy as np
import pandas as pd
import pytest

from heldout.studies import grokking_learning_coefficient as study

TINY = {
    "share": 0.6, "weight_decay": 1.0, "modulus": 5, "width": 4, "steps": 20, "readings": 2, "members": 1, "draws": 50,
    "precision": 0.5, "chains": 4, "seed": 0,
}  # fmt: skip


def made() -> pd.DataFrame:
    """Two members; with many pairs and decay they grok at the last step."""
    rows = []
    for share in (0.35, 0.6):
        for decay in (0.0, 2.0):
            for step, test, coefficient in ((50, 0.1, 100.0), (100, 0.4, 120.0), (600, 1.0, 60.0)):
                groks = share == 0.6 and decay == 2.0
                own = coefficient if groks else 90.0
                rows += [
                    {"share": share, "weight_decay": decay, "step": step, "member": m, "train_accuracy": 1.0,
                     "test_accuracy": test if groks else 0.1, "coefficient": own, "status": "ok"}
                    for m in (0, 1)
                ]  # fmt: skip
    return pd.DataFrame(rows)


def test_statistics_of_a_table_made_by_hand() -> None:
    table = made()
    assert study.memorised_over_grokked(table) == pytest.approx([math.log(1.5)] * 2)
    assert study.memorised_over_memorised(table) == pytest.approx([0.0] * 2)
    assert study.fall(table) == pytest.approx([math.log(2)] * 2)
    assert study.accuracy_with_decay(table) == [1.0, 1.0]
    assert study.accuracy_without_decay(table) == [0.1, 0.1]
    drawn = study.curves(table)
    end = drawn[(drawn.panel == "60% of the pairs: learning coefficient") & (drawn.curve == "weight decay 2") & (drawn.x == 600)]
    assert end.y.tolist() == [60.0]


def test_a_reading_without_a_number_makes_no_number_of_a_claim() -> None:
    table = made()
    last = (table.step == 600) & (table.weight_decay == 2.0) & (table.share == 0.6) & (table.member == 1)
    table.loc[last, "coefficient"] = np.nan
    assert [math.isnan(each) for each in study.memorised_over_grokked(table)] == [False, True]
    assert [math.isnan(each) for each in study.fall(table)] == [False, True]
    never = made().assign(train_accuracy=0.5)
    assert all(math.isnan(each) for each in study.fall(never))  # what is not fitted has not memorised


def test_a_tiny_run_has_its_columns_and_every_setting_matters() -> None:
    table = study.grokking_learning_coefficient(**TINY)
    assert table["step"] == [2, 20]
    assert set(table["status"]) <= {"ok", "not-converged", "no-minimum"}
    for value, status in zip(table["coefficient"], table["status"], strict=True):
        assert math.isnan(value) == (status != "ok")
    for change in ({"lr": 0.05}, {"noise": 1.0}, {"localisation": 3.0}, {"chains": 2}, {"seed": 1}):
        other = study.grokking_learning_coefficient(**{**TINY, **change})
        assert other["coefficient"] != table["coefficient"], change
