"""Contrasts against scikit-learn's ROC area, and what they must not look at."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score
from tests import cases

from heldout.records import Direction, Passes, Reading, Status
from heldout.verbs.audit import audit
from heldout.verbs.contrasts import contrasts


def reading(name: str, values: list[float]) -> Reading:
    nothing = np.full(len(values), np.nan)
    return Reading(
        name=name, family="f", unit="", direction=Direction.NEITHER, statuses=(Status.OK,) * len(values),
        reasons=("",) * len(values), passes=Passes(), seconds=0.0, _value=np.array(values, dtype=float),
        _standard_error=nothing, _low=nothing, _high=nothing,
    )  # fmt: skip


def test_the_area_is_that_of_the_roc_curve() -> None:
    values = np.random.default_rng(0).integers(0, 5, size=11).astype(float)
    groups = ["a"] * 5 + ["b"] * 6
    (row,) = contrasts({"params": reading("params", values.tolist())}, groups)
    assert row["area"] == pytest.approx(roc_auc_score([0] * 5 + [1] * 6, values), abs=1e-12)
    assert row["ratio"] == pytest.approx(values[5:].mean() / values[:5].mean())
    assert row["chance"] == pytest.approx(2 / 462)


def test_clean_separations_come_first() -> None:
    groups = ["a", "a", "b", "b"]
    mixed, clean = reading("params", [1, 3, 2, 4]), reading("param-norm", [9, 8, 1, 2])
    rows = contrasts({"params": mixed, "param-norm": clean}, groups)
    assert [row["name"] for row in rows] == ["param-norm", "params"]
    assert rows[0]["area"] == 0.0
    assert rows[0]["gap_in_deviations"] == pytest.approx(-7 / np.sqrt(0.5))


def test_one_group_has_nothing_to_contrast() -> None:
    assert contrasts({"params": reading("params", [1, 2])}, ["a", "a"]) == ()


def test_a_contrast_never_sees_test_data() -> None:
    subject = cases.together([cases.mlp(seed=i) for i in range(4)], groups=["a", "a", "b", "b"])
    names = {row["name"] for row in audit(subject, progress=False).contrasts}
    assert "param-norm" in names
    assert not names & {"accuracy-gap", "loss-gap", "test-accuracy", "test-loss", "expected-calibration-error"}
