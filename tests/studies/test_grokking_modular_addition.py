"""Grokking of modular addition: the smoke run, the statistics on tables made by hand, what must kill it."""

import pandas as pd
import pytest
from torch import nn

import heldout
from heldout.studies import grokking_modular_addition as study


def test_the_smoke_run_reproduces_every_claim() -> None:
    record = heldout.study("grokking-modular-addition")
    assert [claim["verdict"] for claim in record.claims] == ["reproduced"] * 5
    assert "facet" in record.figure().to_dict()


def test_statistics_of_a_table_made_by_hand() -> None:
    rows = [
        {"share": share, "weight_decay": decay, "member": member, "step": step, "train_accuracy": float(step >= 10),
         "test_accuracy": float(step >= late + member), "participation": share + step / 100}
        for share, late in ((0.2, 99), (0.5, 30), (0.9, 10)) for decay in (0.0, 5.0)
        for member in (0, 1) for step in range(0, 51, 5)
    ]  # fmt: skip
    table = pd.DataFrame(rows)
    slow = (table["share"] == 0.5) & (table.weight_decay == 0) & (table.step < 45)
    table.loc[slow, "test_accuracy"] = 0.0
    assert study.delay_at_half(table) == [20.0, 25.0]
    assert study.delay_with_most(table) == [0.0, 5.0]
    assert study.accuracy_at_half(table) == study.accuracy_without_decay(table) == [1.0, 1.0]
    assert study.accuracy_with_few(table) == [0.0, 0.0]
    assert study.participation_at_half(table) == pytest.approx([1.0, 1.0])
    assert study.participation_with_few(table) == pytest.approx([0.7, 0.7])
    assert study.hastening_by_decay(table) == [15.0, 10.0]
    assert study.arrival(table[table["share"] == 0.2], "test_accuracy") == [51.0, 51.0]


def test_every_setting_matters_and_every_network_can_take_its_place() -> None:
    settings = {
        "modulus": 11,
        "width": 30,
        "share": 0.5,
        "weight_decay": 1.0,
        "steps": 20,
        "every": 10,
        "members": 2,
        "seed": 0,
    }
    table = pd.DataFrame(study.grokking_modular_addition(**settings))
    assert list(table.step) == [0, 0, 10, 10, 20, 20]
    for change in ({"lr": 0.03}, {"operation": "subtraction"}, {"weight_decay": 9.0}, {"width": 20}, {"share": 0.6}, {"seed": 1},
                   {"network": lambda: nn.Linear(22, 11)}):  # fmt: skip
        changed = pd.DataFrame(study.grokking_modular_addition(**{**settings, **change}))
        assert not changed.drop(columns="member").equals(table.drop(columns="member")), change
    assert pd.DataFrame(study.grokking_modular_addition(**settings)).equals(table)
