"""Maximum margin: scikit-learn's support vector machine as the oracle, and the smoke run's verdicts."""

import numpy as np
import pandas as pd
import pytest
from sklearn.svm import SVC

import heldout
from heldout.studies import maximum_margin as study


def test_the_largest_margin_is_the_support_vector_machine_s() -> None:
    points = np.array([2.0, 1.0]) + 0.5 * np.random.default_rng(0).standard_normal((4, 30, 2))
    ours = study._largest_margin(points)
    for signed, found in zip(points, ours, strict=True):
        both = np.concatenate([signed, -signed])  # the mirror image makes the machine go through the origin
        machine = SVC(kernel="linear", C=1e8, tol=1e-8).fit(both, np.repeat([1, -1], len(signed)))
        assert found == pytest.approx(1 / np.linalg.norm(machine.coef_), rel=1e-4)


def test_it_is_gradient_descent() -> None:
    rows = pd.DataFrame(study.maximum_margin(loss="logistic", members=1, examples=20, steps=10, lr=0.3, seed=1))
    draw = np.random.default_rng(1)
    signed = np.array([1.5, 0.5]) + 0.6 * draw.standard_normal((1, 20, 2))
    normal = np.array([1.5, 0.5]) / np.hypot(1.5, 0.5)
    signed = (signed + np.maximum(0.3 - signed @ normal, 0)[..., None] * normal)[0]
    w = np.zeros(2)
    for _ in range(10):
        w = w + 0.3 * np.mean([x / (1 + np.exp(w @ x)) for x in signed], axis=0)
    last = rows[rows.step == 10].iloc[0]
    assert last.norm == pytest.approx(np.linalg.norm(w))
    assert last.margin == pytest.approx((signed @ w).min() / np.linalg.norm(w))


def test_statistics_of_a_table_made_by_hand() -> None:
    rows = [
        {"loss": "logistic", "member": 0, "step": step, "norm": norm, "margin": margin, "largest_margin": 2.0}
        for step, norm, margin in ((10, 0.1, 1.0), (100, 0.4 * np.log(100), 1.5), (1000, 0.4 * np.log(1000), 1.4))
    ]
    table = pd.DataFrame(rows)
    assert study.short_of_margin(table) == pytest.approx([0.3])
    assert study.deviation_of_growth(table) == pytest.approx([0.2])


def test_the_smoke_run_reproduces_every_claim() -> None:
    assert [claim["verdict"] for claim in heldout.study("maximum-margin").claims] == ["reproduced"] * 2
