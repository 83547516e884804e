"""MNIST-1D by width and epoch: the statistics of tables made by hand, and what the smoke run shows."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

import heldout
from heldout.studies import double_descent_one_dimensional_digits as study

DATA = ((torch.randn(60, 4, generator=torch.Generator().manual_seed(0)), torch.arange(60) % 3),) * 2
SETTINGS: dict[str, Any] = {"width": 5, "label_noise": (0.0, 0.3), "train_size": 1, "steps": 8, "members": 2, "batch_size": 10,
                            "readings": 4, "data": DATA, "seed": 0}  # fmt: skip


def test_a_peak_is_as_high_as_the_smaller_of_its_rise_and_fall() -> None:
    along = pd.DataFrame({0: [0.5, 0.2, 0.4, 0.3, 0.1], 1: [0.5, 0.4, 0.3, 0.2, 0.1], 2: [0.1, 0.2, 0.3, 0.4, 0.35]})
    assert study.peak(along) == pytest.approx([0.2, 0.0, 0.05])


def test_statistics_of_a_table_made_by_hand() -> None:
    rows = [
        {"width": width, "label_noise": noise, "step": step, "member": 0, "train_error": 0.0,
         "test_error": {1: 0.9, 100: 0.2, 500: 0.3, 1000: end - noise * (width == 8)}[step] + 3 * noise * (step == 500)}
        for noise in (0.0, 0.1) for width, end in ((2, 0.3), (4, 0.4), (8, 0.35)) for step in (1, 100, 500, 1000)
    ]  # fmt: skip
    made = pd.DataFrame(rows)
    assert study.peak_by_width(made) == pytest.approx([0.1])
    assert study.peak_without_noise(made) == pytest.approx([0.05])
    assert study.peak_when_stopped_early(made) == pytest.approx([0.0])
    assert study.peak_by_epoch(made) == pytest.approx([0.35])
    assert study.peak_by_epoch_without_noise(made) == pytest.approx([0.0])
    assert set(study.drawn(made).panel) == {"by width, at the end", "by step, widest"}


def test_arms_share_initialisation_and_order() -> None:
    rows = pd.DataFrame(study.double_descent_one_dimensional_digits(**{**SETTINGS, "label_noise": (0.0, 1e-9)}))
    one, other = (
        rows[rows.label_noise == share].drop(columns="label_noise").reset_index(drop=True) for share in (0.0, 1e-9)
    )
    assert one.equals(other)


def test_the_smoke_run_reaches_both_sides_of_the_threshold() -> None:
    """It is too small for the verdicts, which the laptop size gives; its curves are there."""
    record = heldout.study("double-descent-one-dimensional-digits")
    last = record.table[record.table.step == record.table.step.max()]
    wide, narrow = (last[(last.width == width) & np.isclose(last.label_noise, 0.15)] for width in (200, 4))
    assert narrow.train_error.min() > 0.3
    assert wide.train_error.max() < 0.1
    assert len(record.claims) == 3


def test_every_setting_matters() -> None:
    table = pd.DataFrame(study.double_descent_one_dimensional_digits(**SETTINGS))
    for change in ({"width": 6}, {"label_noise": (0.0, 0.6)}, {"steps": 9}, {"members": 1}, {"lr": 0.1}, {"batch_size": 5},
                   {"readings": 3}, {"data": (DATA[0], (DATA[1][0][:9], DATA[1][1][:9]))}, {"seed": 1},
                   {"data": None, "train_size": 50, "test_size": 20}):  # fmt: skip
        changed = pd.DataFrame(study.double_descent_one_dimensional_digits(**{**SETTINGS, **change}))
        assert not changed.equals(table), change
