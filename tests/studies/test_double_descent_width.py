"""Double descent by width: statistics of tables made by hand, and what the smoke run shows."""

import pandas as pd
import pytest

import heldout
from heldout.studies import double_descent_width as study


def table(noisy: list[float], clean: list[float], train: list[float], best: list[float]) -> pd.DataFrame:
    rows = []
    for noise, tests in ((0.2, noisy), (0.0, clean)):
        for width, test, fit, early in zip([2, 4, 8, 16], tests, train, best, strict=True):
            own = {"width": width, "label_noise": noise, "train_error": fit, "best_error": early}
            rows += [{**own, "member": m, "test_error": test + m / 100} for m in range(2)]
    return pd.DataFrame(rows)


def test_statistics_of_a_table_made_by_hand() -> None:
    made = table([0.3, 0.2, 0.4, 0.1], [0.3, 0.2, 0.15, 0.1], [0.2, 0.1, 0.0, 0.0], [0.3, 0.2, 0.1, 0.1])
    assert study.rise_with_noise(made) == pytest.approx([0.2, 0.2])
    assert study.rise_without_noise(made) == pytest.approx([0.0, 0.0])
    assert study.second_descent(made) == pytest.approx([0.3, 0.3])
    assert study.distance_from_threshold(made) == pytest.approx([0.0])
    assert study.rise_when_stopped_early(made) == pytest.approx([0.0, 0.0])
    rows = study.drawn(made)
    assert set(rows.panel) == {"20% label noise", "0% label noise"}


def test_a_monotone_curve_has_no_peak_and_unfitted_networks_no_threshold() -> None:
    made = table([0.4, 0.3, 0.2, 0.1], [0.3, 0.2, 0.15, 0.1], [0.4, 0.3, 0.2, 0.1], [0.3, 0.2, 0.1, 0.1])
    assert study.rise_with_noise(made) == pytest.approx([0.0, 0.0])
    assert all(value != value for value in study.distance_from_threshold(made))


def test_the_smoke_run_reaches_both_sides_of_the_threshold() -> None:
    """It is too small for the verdicts, which the laptop size gives; its curves are there."""
    record = heldout.study("double-descent-width")
    noisy, clean = (record.table[record.table.label_noise == noise] for noise in (0.2, 0.0))
    assert noisy[noisy.width == 200].train_error.max() == 0
    assert noisy[noisy.width == 4].train_error.min() > 0.05
    assert noisy.test_error.mean() > clean.test_error.mean() + 0.05
    assert bool((noisy.best_error <= noisy.test_error).all())
    assert len(record.claims) == 4
