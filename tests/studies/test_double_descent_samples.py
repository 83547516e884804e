"""Double descent by sample: the statistics of tables made by hand, and what the smoke run shows."""

from typing import Any

import pandas as pd
import pytest
import torch

import heldout
from heldout.studies import double_descent_samples as study

DATA = ((torch.randn(60, 4, generator=torch.Generator().manual_seed(0)), torch.arange(60) % 3),) * 2
SETTINGS: dict[str, Any] = {
    "examples": 40,
    "width": 5,
    "steps": 8,
    "members": 2,
    "batch_size": 10,
    "data": DATA,
    "seed": 0,
}


def test_statistics_of_a_table_made_by_hand() -> None:
    made = pd.DataFrame([
        {"examples": examples, "width": width, "member": 0, "train_error": 0.0, "test_error": error, "test_loss": loss}
        for width, losses in ((4, (1.0, 2.0, 1.5)), (8, (1.0, 1.5, 3.0)))
        for examples, loss, error in zip((10, 20, 80), losses, (0.3, 0.35, 0.1), strict=True)
    ])  # fmt: skip
    assert study.rise_of_the_loss(made) == pytest.approx([0.6931471805599453])
    assert study.rise_of_the_error(made) == pytest.approx([0.05])
    assert study.peak_moves(made) == pytest.approx([2.0])
    assert len(study.drawn(made)) == 6


def test_the_smoke_run_fits_few_examples_and_not_many() -> None:
    """It is too small for the verdicts, which the laptop size gives; its curves are there."""
    record = heldout.study("double-descent-samples")
    narrow = record.table[record.table.width == 10]
    assert narrow[narrow.examples == 50].train_error.max() == 0
    assert narrow[narrow.examples == 1000].train_error.min() > 0.1
    assert len(record.claims) == 3


def test_every_setting_matters() -> None:
    table = pd.DataFrame(study.double_descent_samples(**SETTINGS))
    for change in ({"examples": 30}, {"width": 6}, {"steps": 9}, {"members": 1}, {"label_noise": 0.0}, {"lr": 0.01},
                   {"batch_size": 5}, {"data": (DATA[0], (DATA[1][0][:9], DATA[1][1][:9]))}, {"seed": 1},
                   {"data": None, "pool": 50, "test_size": 20}):  # fmt: skip
        assert not pd.DataFrame(study.double_descent_samples(**{**SETTINGS, **change})).equals(table), change
