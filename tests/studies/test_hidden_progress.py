"""Hidden progress: the smoke run, the statistics on a table made by hand, the readings against plain loops."""

import numpy as np
import pandas as pd
import pytest

import heldout
from heldout.studies import hidden_progress as study


def test_the_smoke_run_reproduces_the_fall_and_is_too_short_for_the_lead() -> None:
    record = heldout.study("hidden-progress")
    assert record.claims[0]["verdict"] == "reproduced"
    assert record.claims[1]["verdict"] == "underpowered"
    assert "facet" in record.figure().to_dict()


def test_statistics_of_a_table_made_by_hand() -> None:
    rows = [
        {"weight_decay": decay, "member": member, "step": step, "train_accuracy": float(step >= 10), "test_loss": 1.0,
         "test_accuracy": decay * (0.0 if step < 60 else 0.9), "restricted": 4.0 if step < 30 or decay == 0 else 1.0 + member,
         "excluded": 2.0 - step / 100 if decay == 0 or step < 50 else 3.0}
        for decay in (0.0, 1.0) for member in (0, 1) for step in range(0, 101, 10)
    ]  # fmt: skip
    table = pd.DataFrame(rows)
    assert study.fall_before_accuracy(table) == pytest.approx([np.log(4), np.log(2)])
    assert study.fall_without_decay(table) == pytest.approx([0.0, 0.0])
    assert study.lead(table) == pytest.approx([0.6, 0.6])
    assert study.excluded_rise(table) == pytest.approx([3.0 - 1.6] * 2)
    assert study.excluded_rise_without_decay(table) == pytest.approx([0.0, 0.0])


def test_before_training_nothing_is_known_and_every_setting_matters() -> None:
    settings = {
        "modulus": 11,
        "width": 12,
        "share": 0.5,
        "weight_decay": 1.0,
        "steps": 20,
        "every": 10,
        "members": 2,
        "seed": 0,
    }
    table = pd.DataFrame(study.hidden_progress(**settings))
    first = table[table.step == 0]
    for column in ("test_loss", "restricted", "excluded"):
        assert list(first[column]) == pytest.approx([np.log(11)] * 2, abs=0.1)
    for change in ({"lr": 0.03}, {"frequencies": 2}, {"weight_decay": 9.0}, {"share": 0.6}, {"width": 20}, {"seed": 1}):
        assert not pd.DataFrame(study.hidden_progress(**{**settings, **change})).equals(table), change
