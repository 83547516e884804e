"""Epoch-wise double descent: gradient descent against matrix powers, the closed form against enumerated noise."""

import itertools

import numpy as np
import pandas as pd
import pytest

import heldout
from heldout.studies import double_descent_epoch_linear as study

SETTINGS = {"deviations": (0.8, 0.3), "coefficients": (1.5, -2.0), "examples": 6, "noise": 0.7, "lr": 0.3}


def test_descent_is_that_of_matrix_powers_on_the_drawn_design() -> None:
    table = study.double_descent_epoch_linear(slow=4.0, steps=40, repetitions=3, seed=9, **SETTINGS)
    draw = np.random.default_rng(9)
    designs = np.linalg.qr(draw.standard_normal((3, 6, 2)))[0] * np.sqrt(6) * np.array([0.8, 0.3])
    noises = draw.standard_normal((3, 6))
    wanted, rates = np.array([1.5, -2.0]), np.diag([0.3, 1.2])
    for member in range(3):
        x = designs[member]
        y = x @ wanted + 0.7 * noises[member]
        least = np.linalg.lstsq(x, y, rcond=None)[0]
        for row in np.flatnonzero(table["member"] == member):
            power = np.linalg.matrix_power(np.eye(2) - rates @ x.T @ x / 6, int(table["step"][row]))
            error = least - power @ least - wanted
            assert table["descent"][row] == pytest.approx((error**2 * [0.64, 0.09]).sum(), rel=1e-9)


def test_the_closed_form_is_the_mean_over_all_signs_of_the_noise() -> None:
    """Independent noise of two equally likely signs has the covariance that the formula needs: 2^6 draws are its exact mean."""
    table = study.double_descent_epoch_linear(slow=4.0, steps=25, repetitions=1, seed=0, **SETTINGS)
    x = np.linalg.qr(np.random.default_rng(1).standard_normal((6, 2)))[0] * np.sqrt(6) * np.array([0.8, 0.3])
    wanted, risks = np.array([1.5, -2.0]), np.zeros(26)
    for signs in itertools.product((-0.7, 0.7), repeat=6):
        theta = np.zeros(2)
        for step in range(26):
            risks[step] += (((theta - wanted) * [0.8, 0.3]) ** 2).sum() / 64
            theta = theta - np.array([0.3, 1.2]) * (x.T @ (x @ theta - x @ wanted - np.array(signs))) / 6
    assert table["theory"] == pytest.approx(risks[table["step"]], rel=1e-9)


def test_the_smoke_run_reproduces_every_claim() -> None:
    record = heldout.study("double-descent-epoch-linear")
    assert [claim["verdict"] for claim in record.claims] == ["reproduced"] * 4
    assert record.claims[0]["value"] == pytest.approx(np.log(0.2694 / 0.2596), abs=1e-3)  # Heckel and Yilmaz' preset
    assert record.figure().to_dict()["facet"]["field"] == "panel"


def test_without_noise_the_risk_only_falls() -> None:
    record = heldout.study("double-descent-epoch-linear", noise=0.0, repetitions=10, steps=1000)
    assert record.claims[0]["value"] == 0.0
    assert record.claims[0]["verdict"] == record.claims[2]["verdict"] == "not reproduced"


def test_statistics_of_a_table_made_by_hand() -> None:
    curves = {1.0: (4.0, 2.0, 6.0, 1.0, 9.0), 8.0: (4.0, 1.0, 0.5, 3.0, 5.0)}
    rows = [
        {"slow": slow, "member": member, "step": step, "theory": risk, "descent": risk * (1 + member)}
        for slow, risks in curves.items()
        for step, risk in enumerate(risks)
        for member in (0, 1)
    ]
    table = pd.DataFrame(rows)
    assert study.exact_rise(table) == pytest.approx([np.log(3)])
    assert study.exact_rise_scaled(table) == [0.0]
    assert study.measured_rise(table) == pytest.approx([np.log(3)] * 2)
    assert study.measured_rise_scaled(table) == [0.0, 0.0]
    assert study.deviation_from_theory(table) == pytest.approx([0.5])
    assert study.log_gain(table) == pytest.approx([np.log(2)])
    assert len(study.curves(table)) == 2 * 2 * 4  # the start has no place on a logarithmic axis
