"""Standard errors and intervals on series whose law is known: their coverage, their degrees of freedom, and what they cost."""

import numpy as np
import pytest
from scipy.stats import t as student

from heldout.engine.sampling.convergence import correlation_time, effective_size, monte_carlo_error, split
from heldout.engine.sampling.uncertainty import Uncertainty, together, uncertainty


def chains(seed: int, draws: int, factor: float = 0.6, shape: float | None = None) -> np.ndarray:
    """Stationary autoregressions of eight chains with mean 0; squares of them, as losses are, where a shape is given."""
    generator = np.random.default_rng(seed)
    noise = generator.normal(size=(int(2 * shape) if shape else 1, 8, draws))
    x = np.empty_like(noise)
    x[..., 0] = noise[..., 0]
    for t in range(1, draws):
        x[..., t] = factor * x[..., t - 1] + np.sqrt(1 - factor**2) * noise[..., t]
    return 0.5 * np.square(x).sum(0) - shape if shape else x[0]


@pytest.mark.parametrize("level", [0.9, 0.95])
@pytest.mark.parametrize("shape", [None, 0.5])
def test_intervals_cover_as_often_as_they_say(shape: float | None, level: float) -> None:
    """Of 400 series of 8 x 60 draws; fewer than ``level - 0.07`` would have a probability below 1e-6 were the level kept."""
    covered = 0
    for seed in range(400):
        series = chains(seed, 60, shape=shape)
        covered += bool(abs(series.mean()) <= uncertainty(series).half_width(level))
    assert level - 0.07 < covered / 400
    assert covered / 400 < level + 0.05


def test_stopping_at_the_first_small_error_keeps_the_coverage() -> None:
    """Looks at 25, 50, ... 400 draws; ends once the error is below a share that takes about 100: 400 runs."""
    covered, normal = 0, 0
    for seed in range(400):
        series = chains(seed, 400, shape=0.5)
        for draws in (25, 50, 100, 200, 400):
            seen = series[:, :draws]
            found = uncertainty(seen)
            if found.half_width() < 1.96 * 0.06 * (0.5 + seen.mean()):
                break
        covered += bool(abs(seen.mean()) <= found.half_width(0.9))
        normal += bool(abs(seen.mean()) <= 1.645 * monte_carlo_error(seen))
    assert covered >= normal
    assert covered / 400 > 0.85


def test_it_is_the_larger_of_two_estimates() -> None:
    apart = chains(0, 200) + 0.3 * np.arange(8.0)[:, None]
    between = apart.mean(1).std(ddof=1) / np.sqrt(8)
    assert uncertainty(apart).error == pytest.approx(max(between, monte_carlo_error(apart)))
    together_again = chains(1, 200)
    together_again -= together_again.mean(1, keepdims=True)
    assert uncertainty(together_again).error == pytest.approx(monte_carlo_error(together_again))


def test_few_effective_draws_and_heavy_tails_have_few_degrees_of_freedom() -> None:
    white, sticky = uncertainty(chains(0, 100, 0.0)).freedom, uncertainty(chains(0, 100, 0.95)).freedom
    assert 800 / 4 < white < 800
    assert sticky < 40
    assert uncertainty(chains(0, 400, 0.0, shape=0.5)).freedom < uncertainty(chains(0, 400, 0.0)).freedom


def test_what_does_not_vary_is_certain_and_a_single_chain_has_its_own_error() -> None:
    assert uncertainty(np.ones((4, 50))) == Uncertainty(0.0, np.inf)
    one = chains(0, 500)[:1]
    assert uncertainty(one).error == monte_carlo_error(one)
    assert np.isnan(uncertainty(np.ones((1, 1))).error)


def test_what_temperatures_have_in_common_is_in_the_error_of_their_sum() -> None:
    draws = np.random.default_rng(0).normal(size=(3, 8, 4000))
    one = uncertainty(draws[0]).error
    assert together([draws[0]]).error == pytest.approx(one)
    assert together([draws[0]] * 8).error == pytest.approx(8 * one)  # the same noise: not the root of 8
    assert together(list(draws)).error == pytest.approx(one * 3**0.5, rel=0.2)  # noise of their own
    cut = draws[1][:, :2000]
    assert together([draws[0], cut]).error == pytest.approx(one + uncertainty(cut).error)
    assert together([draws[0], -draws[0]]) == Uncertainty(0.0, np.inf)


def test_students_quantile() -> None:
    assert Uncertainty(0.5, 70.0).half_width(0.9) == pytest.approx(0.5 * student.ppf(0.95, 70))


def test_the_correlation_time_is_that_of_theory() -> None:
    """``(1 + phi) / (1 - phi)`` of an autoregression, within 10 %."""
    series = chains(0, 20_000)
    time, last = correlation_time(split(series))
    assert time == pytest.approx(4.0, rel=0.1)
    assert effective_size(split(series)) == pytest.approx(series.size / time)
    assert 5 < last < 100
