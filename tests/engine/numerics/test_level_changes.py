"""Windows against a bar, by enumeration; noise on lines and on Gaussian series."""

import numpy as np
import pytest

from heldout.engine.numerics.level_changes import WIDTHS, earlier_extremes, excess, running_noise, window_means

SERIES = np.random.default_rng(0).normal(size=40)


def test_window_means_and_earlier_extremes_by_enumeration() -> None:
    means = window_means(SERIES)
    lowest = earlier_extremes(means, begin=5)
    for place, width in enumerate(WIDTHS):
        for row in range(len(SERIES)):
            own = SERIES[row - width + 1 : row + 1]
            assert np.isnan(means[place, row]) if row < width - 1 else means[place, row] == pytest.approx(own.mean())
            earlier = [SERIES[end - width + 1 : end + 1].mean() for end in range(5 + width - 1, row - width + 1)]
            if earlier:
                assert lowest[place, row] == pytest.approx(min(earlier))
            else:
                assert np.isnan(lowest[place, row])


def test_excess_by_enumeration() -> None:
    means, bars = window_means(SERIES), np.full((len(WIDTHS), 40), 0.3)
    noise, shared = np.linspace(0.5, 1.5, 40), np.linspace(0.0, 0.2, 40)
    z, width = excess(means, bars, noise, shared)
    for row in range(40):
        each = {w: (SERIES[row - w + 1 : row + 1].mean() - 0.3) / np.sqrt(2 * noise[row] ** 2 / w + shared[row] ** 2)
                for w in WIDTHS if w <= row + 1}  # fmt: skip
        assert z[row] == pytest.approx(max(each.values()))
        assert each[int(width[row])] == pytest.approx(max(each.values()))


def test_no_bar_and_no_noise_known_are_no_evidence() -> None:
    means = window_means(SERIES)
    z, _ = excess(means, np.full_like(means, np.nan), np.ones(40), np.zeros(40))
    assert (z == -np.inf).all()
    z, _ = excess(means, np.zeros_like(means), np.full(40, np.inf), np.zeros(40))
    assert not z.any()


def test_noise_of_a_line_is_zero_wherever_its_rows_lie() -> None:
    places = np.cumsum(np.random.default_rng(1).random(30))
    assert running_noise(3 - 2 * places, places)[2:] == pytest.approx(np.zeros(28), abs=1e-12)


def test_noise_of_gaussian_rows() -> None:
    """Median of 200 rows' estimates, each over 16 residuals: its standard error is below 0.05, the bound 6 of it."""
    noise = running_noise(0.5 * np.random.default_rng(2).normal(size=3000), np.arange(3000.0))[20:]
    assert np.median(noise[::15]) == pytest.approx(0.5 * (1 + 2 / 16), abs=0.15)


def test_noise_rests_on_earlier_rows_only() -> None:
    whole = running_noise(SERIES, np.arange(40.0))
    for rows in range(1, 40):
        assert running_noise(SERIES[:rows], np.arange(float(rows))).tolist() == whole[:rows].tolist()
