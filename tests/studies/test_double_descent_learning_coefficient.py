"""The coefficient along width: statistics of tables made by hand, one tiny run, and every setting."""

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from heldout.engine.sampling import NetworkField, Settings
from heldout.engine.sampling.coefficients import Coefficient
from heldout.studies import double_descent_learning_coefficient as study

TINY = {
    "width": 2, "examples": 30, "steps": 60, "members": 2, "inputs": 6, "draws": 50, "precision": 0.5, "seed": 0,
}  # fmt: skip


def made() -> pd.DataFrame:
    rows = []
    for width, value, alike, train in (
        (2, 10.0, 10.0, 0.4),
        (4, 20.0, 15.0, 0.1),
        (8, 40.0, 30.0, 0.0),
        (16, 20.0, 30.0, 0.0),
    ):
        rows += [
            {"width": width, "member": m, "coefficient": value, "coefficient_alike": alike, "half": 10.0 * width,
             "quadratic": value, "train_error": train, "test_error": 0.3, "status": "ok"}
            for m in (0, 1)
        ]  # fmt: skip
    return pd.DataFrame(rows)


def test_statistics_of_a_table_made_by_hand() -> None:
    table = made()
    assert study.rise(table) == pytest.approx([math.log(4)] * 2)
    assert study.fall(table) == pytest.approx([math.log(2)] * 2)
    assert study.fall_by_count(table) == pytest.approx([0.0] * 2)
    assert study.fall_held_alike(table) == pytest.approx([0.0] * 2)
    assert study.distance_from_threshold(table) == pytest.approx([0.0])
    assert math.isnan(study.distance_from_threshold(table.assign(train_error=0.3))[0])
    drawn = study.drawn(table)
    assert set(drawn.panel) == {"learning coefficient", "error", "readings refused"}
    assert set(drawn[drawn.panel == "readings refused"].y) == {0.0}


def test_a_width_without_a_number_is_passed_over_but_the_widest_is_needed() -> None:
    table = made()
    table.loc[(table.width == 8) & (table.member == 0), ["coefficient", "status"]] = np.nan, "not-converged"
    assert study.fall(table) == pytest.approx([0.0, math.log(2)])  # of member 0 the largest that is known is 20
    assert study.drawn(table).query("panel == 'readings refused' and x == 8").y.tolist() == [0.5]
    table.loc[(table.width == 16) & (table.member == 0), "coefficient"] = np.nan
    assert [math.isnan(each) for each in study.fall(table)] == [True, False]


def test_what_is_asked_of_the_chains(monkeypatch: pytest.MonkeyPatch) -> None:
    """None run: once with the automatic Gaussians, once with the same for all."""
    asked: list[dict[str, Any]] = []

    def spy(field: NetworkField, settings: Settings, **given: Any) -> list[Coefficient]:
        losses = field.losses(field.centres, torch.arange(len(field.centres)))
        asked.append({"losses": losses, "settings": settings, **given})
        return [Coefficient(1.0, 0.1, 1.0, 1.0, "ok", "")] * len(losses)

    monkeypatch.setattr(study, "coefficients", spy)
    table = study.double_descent_learning_coefficient(**TINY)
    assert table["half"] == [(6 * 2 + 2 + 2 * 10 + 10) / 2] * 2
    assert list(asked[0]["seeds"]) == [0, 1]
    assert asked[0]["nbeta"] == pytest.approx(30 / math.log(30))
    assert asked[0]["localisations"].tolist() == table["localisation"]
    assert set(asked[1]["localisations"].tolist()) == {1.0}
    given = {"chains": 5, "draws": 77, "precision": 0.25, "budget": 70.0, "alike": 30.0, "seed": 1}
    study.double_descent_learning_coefficient(**{**TINY, **given})
    settings = asked[2]["settings"]
    assert [getattr(settings, name) for name in given if name != "alike"] == [5, 77, 0.25, 70.0, 1]
    assert set(asked[3]["localisations"].tolist()) == {30.0}
    study.double_descent_learning_coefficient(**{**TINY, "label_noise": 0.8})
    assert not torch.equal(asked[4]["losses"], asked[0]["losses"])


def test_a_tiny_run_that_may_cost_nothing_is_refused_and_kept() -> None:
    cut = study.double_descent_learning_coefficient(**{**TINY, "steps": 5, "budget": 60.0})
    assert set(cut["status"]) == {"not-converged"}
    assert all(math.isnan(value) for value in cut["coefficient"])
