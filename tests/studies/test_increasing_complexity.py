"""Increasing complexity: the statistics on a hand-made table, the smoke run, networks whose information is known."""

from math import isnan
from typing import Any

import pandas as pd
import pytest
import torch
from torch import nn

import heldout
from heldout.studies import increasing_complexity as study

SETTINGS: dict[str, Any] = {
    "train_size": 100,
    "test_size": 60,
    "width": 6,
    "steps": 20,
    "lr": 0.3,
    "members": 2,
    "readings": 4,
    "seed": 0,
}


def test_the_smoke_run_reproduces_every_claim() -> None:
    record = heldout.study("increasing-complexity")
    assert [claim["verdict"] for claim in record.claims] == ["reproduced"] * 3
    assert record.figure().to_dict()["layer"]


def test_labels_that_a_line_says_leave_nothing_beyond() -> None:
    x = torch.randn(400, 3, generator=torch.Generator().manual_seed(0))
    x[:, 0] += 0.5 * x[:, 0].sign()
    own = (x[:200], (x[:200, 0] > 0).long()), (x[200:], (x[200:, 0] > 0).long())
    table = pd.DataFrame(
        study.increasing_complexity(
            train_size=1,
            test_size=1,
            width=1,
            steps=300,
            members=2,
            lr=0.5,
            data=own,
            network=lambda: nn.Linear(3, 2),
            seed=0,
        )
    )
    end = study.last(table)
    labels = own[1][1].double().mean()
    entropy = float(-(labels * labels.log2() + (1 - labels) * (1 - labels).log2()))
    assert list(end.linear_information) == pytest.approx([entropy] * 2)
    assert list(end.explained) == pytest.approx([entropy] * 2)
    assert list(end.beyond) == pytest.approx([0.0] * 2, abs=1e-12)


def test_statistics_of_a_table_made_by_hand() -> None:
    rows = [
        {"member": member, "step": step, "information": total, "explained": total - beyond, "beyond": beyond,
         "linear_information": 0.1}
        for member in (0, 1) for step, total, beyond in ((0, 0.01, 0.005), (10, 0.08, 0.0), (20, 0.095, 0.019), (30, 0.5, 0.4))
    ]  # fmt: skip
    table = pd.DataFrame(rows)
    assert study.share_early(table) == pytest.approx([0.8] * 2)
    assert study.share_late(table) == pytest.approx([0.2] * 2)
    assert study.kept(table) == pytest.approx([1.0] * 2)
    assert study.kept_at_initialisation(table) == pytest.approx([0.05] * 2)
    assert study.gained(table) == pytest.approx([4.0] * 2)
    assert study.gained_early(table) == pytest.approx([0.19] * 2)
    never = table.assign(linear_information=1.0)
    assert all(isnan(value) for value in study.share_early(never))
    assert set(study.curves(table).x) == {10, 20, 30}


def test_every_setting_matters() -> None:
    table = pd.DataFrame(study.increasing_complexity(**SETTINGS))
    for change in (
        {"train_size": 120}, {"test_size": 80}, {"width": 9}, {"steps": 30}, {"depth": 1}, {"lr": 1.0}, {"batch_size": 10},
        {"readings": 3}, {"seed": 1},
    ):  # fmt: skip
        assert not pd.DataFrame(study.increasing_complexity(**{**SETTINGS, **change})).equals(table), change
