"""Training rank by rank: the closed form against the oracle, tables made by hand, what is asked, one plateau sampled."""

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from tests.oracles.posteriors import local_rank_coefficient, reduced_rank_origin_coefficient

from heldout.engine.sampling import NetworkField, Settings
from heldout.engine.sampling.coefficients import Coefficient
from heldout.studies import stagewise_rank as study


def test_the_closed_form_is_the_local_one_at_the_plateau_s_point_of_the_fibre() -> None:
    """Both layers have the rank of their product there; and at full rank it is what Aoyagi and Watanabe give for the truth."""
    for size in (1, 2, 5, 8):
        for hidden in range(1, size + 1):
            for rank in range(hidden + 1):
                wanted = local_rank_coefficient(size, size, hidden, rank, rank, rank)
                assert study.closed_form(size, hidden, rank) == wanted, (size, hidden, rank)


def made() -> pd.DataFrame:
    """Two members that rise from 4 to 6 to 8 as the loss falls, and an arm that stays at 8."""
    rows = []
    for step, rank, loss, value in ((0, 0, 3.0, 4.0), (1, 1, 1.0, 6.0), (2, 1, 0.9, 7.0), (3, 2, 0.0, 8.0)):
        own = {"step": step, "half": 10.0, "theory": 8.0, "settled": True, "status": "ok"}
        for m in (0, 1):
            small = {"scale": 0.01, "member": m, "rank": rank, "loss": loss, "coefficient": value, "settled": step != 2}
            rows += [{**own, **small}, {**own, "scale": 1.0, "member": m, "rank": 2, "loss": loss, "coefficient": 8.0}]
    return pd.DataFrame(rows)


def test_statistics_of_a_table_made_by_hand() -> None:
    table = made()
    assert study.rise_from_a_small_start(table) == [4.0, 4.0]
    assert study.rise_from_a_large_start(table) == [0.0, 0.0]
    assert study.smallest_step(table) == [2.0, 2.0]  # what is in passage is not counted
    away = (math.log(8 / 4) + math.log(8 / 6)) / 3
    assert study.departure_from_closed_form(table) == pytest.approx([away] * 2)
    half = (math.log(10 / 4) + math.log(10 / 6) + math.log(10 / 8)) / 3
    assert study.departure_from_half_the_parameters(table) == pytest.approx([half] * 2)
    assert set(study.curves(table).panel) == {
        f"{what}, start of scale {scale}" for what in ("loss", "learning coefficient") for scale in ("0.01", "1")
    }


def test_a_stage_without_a_number_decides_nothing() -> None:
    table = made()
    table.loc[(table["rank"] == 1) & (table.member == 0), "coefficient"] = np.nan
    for statistic in (study.smallest_step, study.departure_from_closed_form):
        assert [math.isnan(each) for each in statistic(table)] == [True, False]
    backwards = made()
    backwards.loc[(backwards.scale < 0.1) & (backwards["rank"] == 2), "loss"] = 5.0
    assert all(math.isnan(each) for each in study.smallest_step(backwards))


TINY = {"scale": 0.01, "size": 3, "hidden": 2, "steps": 60, "readings": 4, "members": 2, "seed": 0}


def test_what_is_asked_of_the_chains(monkeypatch: pytest.MonkeyPatch) -> None:
    """None run: every network's own map is its truth, so that each lies at a minimum."""
    asked: list[dict[str, Any]] = []

    def spy(field: NetworkField, settings: Settings, **given: Any) -> list[Coefficient]:
        asked.append({"field": field, "settings": settings, **given})
        return [Coefficient(1.0, 0.1, 1.0, 1.0, "ok", "")] * len(given["seeds"])

    monkeypatch.setattr(study, "coefficients", spy)
    table = study.stagewise_rank(**TINY)
    field = asked[0]["field"]
    assert float(field.losses(field.centres, torch.arange(8)).max()) < 1e-20
    assert asked[0]["seeds"] == [0, 1] * 4
    assert (table["step"], table["member"]) == ([0, 0, 20, 20, 40, 40, 60, 60], [0, 1] * 4)
    assert table["rank"][0] == 0
    assert table["rank"][-1] == 2
    assert table["loss"][0] == pytest.approx(0.5 * (4 + 0.25), rel=1e-3)
    assert table["loss"] == sorted(table["loss"], reverse=True) or table["loss"][::2] == sorted(
        table["loss"][::2], reverse=True
    )
    given = {"nbeta": 50.0, "localisation": 2.0, "chains": 5, "draws": 77, "precision": 0.25, "seed": 3}
    other = study.stagewise_rank(**{**TINY, **given})
    settings = asked[1]["settings"]
    assert [getattr(settings, name) for name in ("chains", "draws", "precision", "seed")] == [5, 77, 0.25, 3]
    assert asked[1]["nbeta"] == 50.0
    assert set(asked[1]["localisations"].tolist()) == {2.0}
    assert other["rank"] != table["rank"]  # a warmer law sees less
    steep = study.stagewise_rank(**{**TINY, "ratio": 0.5})
    assert steep["loss"][0] == pytest.approx(0.5 * (4 + 1), rel=1e-3)
    slow = study.stagewise_rank(**{**TINY, "lr": 0.01})
    assert slow["loss"][-1] > table["loss"][-1]


def test_the_untrained_plateau_has_the_coefficient_of_a_singular_origin() -> None:
    """One unit, two inputs: the exact one of this temperature and Gaussian is an integral; within 25 %, at a precision of 10 %."""
    asked = {"size": 2, "hidden": 1, "steps": 1, "readings": 1, "draws": 60, "precision": 0.1}
    table = study.stagewise_rank(scale=1e-4, members=1, seed=0, **asked)
    assert table["status"] == ["ok"]
    assert table["coefficient"][0] == pytest.approx(reduced_rank_origin_coefficient(2, 2, 1e4, 10.0), rel=0.25)
