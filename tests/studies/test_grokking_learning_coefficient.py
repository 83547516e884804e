"""The coefficient along grokking: statistics of tables made by hand, one tiny run, and every setting."""

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from heldout.engine.sampling import NetworkField, Settings
from heldout.engine.sampling.coefficients import Coefficient
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
    end = drawn[
        (drawn.panel == "60% of the pairs: learning coefficient") & (drawn.curve == "weight decay 2") & (drawn.x == 600)
    ]
    assert end.y.tolist() == [60.0]


def test_a_reading_without_a_number_makes_no_number_of_a_claim() -> None:
    table = made()
    last = (table.step == 600) & (table.weight_decay == 2.0) & (table.share == 0.6) & (table.member == 1)
    table.loc[last, "coefficient"] = np.nan
    assert [math.isnan(each) for each in study.memorised_over_grokked(table)] == [False, True]
    assert [math.isnan(each) for each in study.fall(table)] == [False, True]
    never = made().assign(train_accuracy=0.5)
    assert all(math.isnan(each) for each in study.fall(never))  # what is not fitted has not memorised


def spied(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What chains are asked for; none run."""
    asked: list[dict[str, Any]] = []

    def spy(field: NetworkField, settings: Settings, **given: Any) -> list[Coefficient]:
        members = torch.arange(len(given["seeds"]))
        asked.append({"losses": field.losses(field.centres, members), "settings": settings, **given})
        return [Coefficient(1.0, 0.1, 1.0, 1.0, "ok", "")] * len(members)

    monkeypatch.setattr(study, "coefficients", spy)
    return asked


def test_what_is_asked_of_the_chains(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = spied(monkeypatch)
    two = {**TINY, "members": 2}
    table = study.grokking_learning_coefficient(**two)
    assert table["step"] == [2, 2, 20, 20]
    assert asked[0]["seeds"] == [0, 1, 0, 1]  # members have sampling noise of their own
    n = 15  # of 25 pairs
    assert asked[0]["nbeta"] == pytest.approx(n / math.log(n))
    study.grokking_learning_coefficient(**{**two, "noise": 0.6})
    assert asked[1]["losses"] == pytest.approx(asked[0]["losses"] / 4)
    study.grokking_learning_coefficient(**{
        **two,
        "localisation": 3.0,
        "chains": 5,
        "draws": 77,
        "precision": 0.25,
        "seed": 1,
    })
    settings = asked[2]["settings"]
    assert (settings.chains, settings.draws, settings.precision, settings.seed) == (5, 77, 0.25, 1)
    assert set(asked[2]["localisations"].tolist()) == {3.0}
    assert not set(asked[0]["localisations"].tolist()) & {3.0, 1.0}
    study.grokking_learning_coefficient(**{**two, "lr": 0.05})
    assert not torch.equal(asked[3]["losses"], asked[0]["losses"])


def test_a_tiny_run_has_numbers_where_its_status_is_ok() -> None:
    table = study.grokking_learning_coefficient(**{**TINY, "steps": 5, "readings": 1})
    assert table["step"] == [5]
    for value, status in zip(table["coefficient"], table["status"], strict=True):
        assert math.isnan(value) == (status != "ok")
