"""Winsorised gradients and wrong labels: columns by hand, statistics of hand-made tables, the smoke run."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

import heldout
from heldout.engine.population import Population
from heldout.engine.training import Recipe, fit
from heldout.records import Refusal
from heldout.studies import winsorised_memorises_less as study

DRAW = torch.Generator().manual_seed(0)
DATA = tuple((torch.randn(n, 5, generator=DRAW), torch.randint(0, 3, (n,), generator=DRAW)) for n in (60, 20))


def network() -> nn.Module:
    return nn.Sequential(nn.Linear(5, 12), nn.ReLU(), nn.Linear(12, 3))


def run(arm: str, **changes: Any) -> pd.DataFrame:
    settings: dict[str, Any] = {
        "noise": 0.6,
        "train_size": 60,
        "width": 9,
        "steps": 30,
        "members": 2,
        "batch_size": 12,
        "readings": 4,
        "level": 2,
    }
    return pd.DataFrame(
        study.winsorised_memorises_less(arm=arm, data=DATA, network=network, seed=3, **{**settings, **changes})
    )


def test_columns_are_those_of_the_networks_that_were_trained() -> None:
    table = run("plain", lr=0.2)
    recipe = Recipe(lr=0.2, momentum=0.0, batch_size=12, steps=30, label_noise=0.6)
    fitted = fit(Population.of(network, 2, seed=3), DATA[0], recipe, seed=3)
    labels = fitted.train.y[1]
    with torch.no_grad():
        predicted = fitted.final.member(1)(DATA[0][0]).argmax(1)
    row = table[(table.member == 1) & (table.step == 30)].iloc[0]
    wrong = labels != DATA[0][1]
    assert 10 < int(wrong.sum()) < 40
    assert row.train_accuracy == pytest.approx(float((predicted == labels).double().mean()))
    assert row.fitted_wrong == pytest.approx(float((predicted == labels)[wrong].double().mean()))


def test_arms_start_alike_and_part() -> None:
    tables = {arm: run(arm) for arm in study.ARMS}
    for arm in ("winsorised", "rm3"):
        plain, other = (table[table.step == 0] for table in (tables["plain"], tables[arm]))
        pd.testing.assert_frame_equal(plain, other)
        assert not np.allclose(tables[arm].train_accuracy, tables["plain"].train_accuracy)
    nothing = run("winsorised", level=0)
    pd.testing.assert_frame_equal(nothing, tables["plain"], atol=0.05)  # the mean of all gradients is plain SGD


def test_without_wrong_labels_none_is_fitted() -> None:
    assert run("plain", noise=0.0).fitted_wrong.isna().all()


def test_an_arm_that_does_not_exist_is_refused() -> None:
    with pytest.raises(Refusal, match="arm"):
        study.pieces_of("median", 1)


def test_statistics_of_a_table_made_by_hand() -> None:
    rows = [
        {"arm": arm, "noise": noise, "step": step, "member": member, "test_accuracy": test - noise + 0.01 * step,
         "fitted_wrong": wrong}
        for arm, test, wrong in (("plain", 0.6, 0.9), ("winsorised", 0.8, 0.3), ("rm3", 0.7, 0.8))
        for noise in (0.0, 0.5) for step in (0, 9) for member in (0, 1)
    ]  # fmt: skip
    table = pd.DataFrame(rows)
    table.loc[(table.noise == 0) & (table.arm == "winsorised"), "test_accuracy"] -= 0.3
    assert study.memorised_less(table) == pytest.approx([0.6] * 2)
    assert study.accuracy_gained(table) == pytest.approx([0.2] * 2)
    assert study.accuracy_gained_without_noise(table) == pytest.approx([-0.1] * 2)
    assert study.memorised_less_by_median(table) == pytest.approx([0.1] * 2)
    assert study.accuracy_gained_by_median(table) == pytest.approx([0.1] * 2)


@pytest.mark.slow
def test_the_smoke_run_shows_that_winsorised_gradients_memorise_less() -> None:
    record = heldout.study("winsorised-memorises-less")
    assert [claim["verdict"] for claim in record.claims[:2]] == ["reproduced"] * 2
    assert record.figure().to_dict()["facet"]["field"] == "panel"
