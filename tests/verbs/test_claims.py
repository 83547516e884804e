"""Verdicts: on every side of the bar, with and without a control, with too few seeds, with no number."""

from typing import Any

import pandas as pd
import pytest
from scipy import stats

from heldout.catalog import Claim
from heldout.engine.numerics.seed_intervals import mean_over_seeds
from heldout.verbs.claims import judged

TABLE = pd.DataFrame({
    "high": [0.9, 1.0, 1.1],
    "low": [-0.1, 0.0, 0.1],
    "wide": [-3.0, 0.5, 4.0],
    "broken": [1.0, float("nan"), 1.0],
})


def column(name: str, rows: int = 3) -> Any:
    def statistic(table: pd.DataFrame) -> list[float]:
        return list(table[name])[:rows]

    statistic.__doc__ = f"The column {name}."
    return statistic


@pytest.mark.parametrize(
    ("effect", "fields", "verdict", "because"),
    [
        ("high", {}, "reproduced", "beyond the bar"),
        ("low", {}, "not reproduced", "below the bar"),
        ("high", {"above": False}, "not reproduced", "above the bar"),
        ("low", {"above": False}, "reproduced", "beyond the bar"),
        ("wide", {}, "underpowered", "holds the bar"),
        ("broken", {}, "underpowered", "missing"),
        ("high", {"control": column("low")}, "reproduced", "control"),
        ("high", {"control": column("high")}, "not reproduced", "shows it too"),
        ("high", {"control": column("wide")}, "underpowered", "control's interval"),
        ("low", {"control": column("low")}, "not reproduced", "below the bar"),
    ],
)
def test_every_verdict(effect: str, fields: dict[str, Any], verdict: str, because: str) -> None:
    row = judged(Claim("A sentence.", "A paper", column(effect), bar=0.5, **fields), TABLE)
    assert row["verdict"] == verdict
    assert because in row["reason"]
    assert row["statistic"] == f"The column {effect}."
    if effect == "broken":
        assert row["value"] is None


def test_one_seed_has_no_interval_and_an_exact_claim_needs_none() -> None:
    alone = judged(Claim("A sentence.", "A paper", column("high", 1), bar=0.5), TABLE)
    assert (alone["verdict"], alone["reason"]) == ("underpowered", "one seed has no interval")
    assert (alone["low"], alone["high"]) == (None, None)
    exact = judged(Claim("A sentence.", "A paper", column("high", 1), bar=0.5, exact=True), TABLE)
    assert exact["verdict"] == "reproduced"
    assert exact["low"] == exact["high"] == 0.9


def test_the_interval_is_student_s() -> None:
    mean, low, high = mean_over_seeds([0.9, 1.0, 1.4, 0.2], confidence=0.9)
    reference = stats.t.interval(0.9, 3, loc=0.875, scale=stats.sem([0.9, 1.0, 1.4, 0.2]))
    assert mean == pytest.approx(0.875)
    assert (low, high) == pytest.approx(reference)
