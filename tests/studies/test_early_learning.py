"""Patterns before noise: statistics of a table made by hand, and the smoke run's verdicts."""

import pandas as pd
import pytest

import heldout
from heldout.studies import early_learning as study


def test_statistics_of_a_table_made_by_hand() -> None:
    made = pd.DataFrame({
        "member": [0, 0, 0], "step": [1, 5, 9], "corrupted_true": [0.2, 0.9, 0.1], "corrupted_fitted": [0.1, 0.05, 0.8],
        "test_accuracy": [0.5, 0.9, 0.6],
    })  # fmt: skip
    assert study.true_at_best(made) == [0.9]
    assert study.true_at_end(made) == [0.1]
    assert study.fitted_at_best(made) == [0.05]
    assert study.fitted_at_end(made) == [0.8]
    assert study.won_by_stopping(made) == pytest.approx([0.3])


def test_the_smoke_run_reproduces_every_claim() -> None:
    record = heldout.study("early-learning")
    assert [claim["verdict"] for claim in record.claims] == ["reproduced"] * 3


def test_without_noise_there_is_nothing_to_win() -> None:
    record = heldout.study("early-learning", noise=0.05, members=2, epochs=20)
    assert record.claims[2]["verdict"] != "reproduced"
