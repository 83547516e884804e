"""Benign overfitting: every column against pseudo-inverse and enumerated noise, the spectra against their formulas."""

import itertools

import numpy as np
import pandas as pd
import pytest

import heldout
from heldout.records import Refusal
from heldout.studies import benign_overfitting as study


@pytest.mark.parametrize("spectrum", ["spikes", "inverse-square", "inverse-log-square", "flat"])
def test_columns_are_those_of_the_pseudo_inverse_and_of_all_signs_of_the_noise(spectrum: str) -> None:
    table = study.benign_overfitting(
        spectrum=spectrum, examples=6, dimension=11, members=2, noise=0.8, signal=1.5, seed=4
    )
    eigenvalues = {
        "spikes": [1.0] * 5 + [40 / 11] * 6,
        "inverse-square": [1 / i**2 for i in range(1, 12)],
        "inverse-log-square": [1 / (i * np.log(i + 1) ** 2) for i in range(1, 12)],
        "flat": [1.0] * 11,
    }[spectrum]
    truth = np.array([1.5] * 5 + [0.0] * 6)
    for member in range(2):
        draw = np.random.default_rng([4, 6, member])
        errors = 0.8 * draw.standard_normal(6)
        inputs = draw.standard_normal((6, 11)) * np.sqrt(eigenvalues)
        inverse = np.linalg.pinv(inputs)

        def risk(noise: np.ndarray, x: np.ndarray = inputs, inverse: np.ndarray = inverse) -> float:
            return float((eigenvalues * (inverse @ (x @ truth + noise) - truth) ** 2).sum())

        signs = [risk(0.8 * np.array(drawn)) for drawn in itertools.product((-1, 1), repeat=6)]
        assert table["excess"][member] == pytest.approx(risk(errors), rel=1e-8)
        assert table["bias"][member] == pytest.approx(risk(np.zeros(6)), rel=1e-8)
        assert table["variance"][member] == pytest.approx(np.mean(signs) - risk(np.zeros(6)), rel=1e-8)
    assert (table["noise_variance"] == 0.8**2).all()


def test_the_columns_of_the_spectrum() -> None:
    table = study.benign_overfitting(spectrum="spikes", examples=50, dimension=405, members=1, seed=0)
    assert (table["k"][0], table["r"][0], table["R"][0]) == pytest.approx((5, 400, 400))
    assert table["order"][0] == pytest.approx(5 / 50 + 50 / 400)
    none = study.benign_overfitting(spectrum="inverse-square", examples=10, dimension=12, members=1, seed=0)
    assert none["k"][0] == 12
    assert np.isinf(none["order"][0])


def test_another_spectrum_is_refused() -> None:
    with pytest.raises(Refusal, match="'cubic'"):
        study.spectrum_named("cubic", 5)


def test_the_smoke_run_gives_these_verdicts() -> None:
    """The third spectrum is benign in infinite dimension only, by a logarithm: at these sizes it must not pass."""
    record = heldout.study("benign-overfitting")
    assert [claim["verdict"] for claim in record.claims] == ["reproduced", "reproduced", "not reproduced"]
    assert record.figure().to_dict()["facet"]["field"] == "panel"


def test_a_short_tail_is_not_benign() -> None:
    """400 examples in 405 dimensions interpolate at the threshold, and the risk does not fall."""
    record = heldout.study("benign-overfitting", spectrum=["spikes", "inverse-square"], dimension=405)
    assert record.claims[0]["verdict"] == "not reproduced"


def test_without_noise_or_the_other_spectra_nothing_is_decided() -> None:
    record = heldout.study(
        "benign-overfitting", spectrum="spikes", noise=0.0, dimension=500, members=2, examples=[20, 40]
    )
    assert [claim["verdict"] for claim in record.claims] == ["underpowered"] * 3


def test_statistics_of_a_table_made_by_hand() -> None:
    rows = [
        {"spectrum": name, "examples": n, "dimension": 3 * n, "member": member, "excess": 0.0, "bias": risk / n, "variance": 4.0,
         "noise_variance": 0.5, "order": 2.0}
        for name, risk in (("spikes", 1.0), ("inverse-square", 1.0), ("inverse-log-square", 3.0))
        for n in (8, 2, 4) for member in (0, 1)
    ]  # fmt: skip
    table = pd.DataFrame(rows)
    table.loc[table.spectrum == "inverse-square", "bias"] = 1.0
    assert study.fall_of_spikes(table) == pytest.approx([np.log(4.5 / 4.125)] * 2)
    assert study.fall_of_inverse_log_squares(table) == pytest.approx([np.log(5.5 / 4.375)] * 2)
    assert study.fall_of_inverse_squares(table) == pytest.approx([0.0] * 2)
    assert study.distance_to_effective_ranks(table) == pytest.approx([np.log(4)] * 2)
    assert study.distance_to_parameter_count(table) == pytest.approx([np.log(8 / 3)] * 2)
    drawn = study.curves(table)
    assert (drawn[drawn.curve == "order of the variance"].y == 1.0).all()
