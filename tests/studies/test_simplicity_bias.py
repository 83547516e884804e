"""Simplicity bias: areas against pairs counted one by one, the statistics on a hand-made table, the smoke run."""

from typing import Any

import pandas as pd
import pytest
import torch

import heldout
from heldout.engine.population import stream
from heldout.studies import simplicity_bias as study

SETTINGS: dict[str, Any] = {
    "simple": "linear", "slab": 5, "dimension": 4, "train_size": 400, "width": 8, "steps": 10, "members": 2, "seed": 0
}  # fmt: skip


def test_the_area_is_the_share_of_pairs_in_order() -> None:
    scores = torch.randint(6, (2, 40), generator=stream(0, "scores")).double()  # with ties
    labels = torch.randint(2, (2, 40), generator=stream(0, "labels"))
    for member, area in enumerate(study.area(scores, labels)):
        ones, zeros = scores[member][labels[member] == 1], scores[member][labels[member] == 0]
        gaps = ones[:, None] - zeros[None]
        assert area == pytest.approx(float(((gaps > 0).double() + (gaps == 0).double() / 2).mean()))


def test_the_smoke_run_reproduces_what_it_can_show() -> None:
    record = heldout.study("simplicity-bias")
    assert [claim["verdict"] for claim in record.claims] == ["reproduced"] * 2 + [
        "underpowered"
    ]  # no uncertain arm in it
    assert "facet" in record.figure().to_dict()
    without = record.table[(record.table.simple == "linear") & (record.table.shuffled == "simple")]
    assert abs(without.accuracy.mean() - 0.5) < 0.1


def test_statistics_of_a_table_made_by_hand() -> None:
    rows = [
        {"simple": simple, "slab": slab, "shuffled": shuffled, "member": member, "area": slab / 10 + place / 100 + member / 1000,
         "accuracy": 0.9 + place / 100}
        for simple in ("linear", "uncertain", "none") for slab in (5, 7) for place, shuffled in enumerate(study.SHUFFLED)
        for member in (1, 0)
    ]  # fmt: skip
    table = pd.DataFrame(rows)
    table.loc[table.simple == "none", "area"] += 0.1
    table.loc[table.simple == "uncertain", "accuracy"] -= 0.5
    assert study.without_the_simple(table) == pytest.approx([0.71, 0.711])
    assert study.without_the_others(table) == pytest.approx([0.72, 0.721])
    assert study.slabs_alone(table) == pytest.approx([0.8, 0.801])
    assert study.accuracy_beside_an_uncertain_line(table) == pytest.approx([0.4, 0.4])
    assert study.accuracy_of_slabs_alone(table) == pytest.approx([0.9, 0.9])
    assert len(study.curves(table)) == 18


def test_every_setting_matters() -> None:
    table = pd.DataFrame(study.simplicity_bias(**SETTINGS))
    for change in (
        {"simple": "uncertain"}, {"slab": 7}, {"dimension": 5}, {"train_size": 500}, {"width": 9}, {"steps": 12}, {"depth": 1},
        {"lr": 0.2}, {"momentum": 0.5}, {"weight_decay": 0.1}, {"seed": 1},
    ):  # fmt: skip
        assert not pd.DataFrame(study.simplicity_bias(**{**SETTINGS, **change})).equals(table), change
