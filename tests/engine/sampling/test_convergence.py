"""Diagnostics against arviz-stats 0.8.0, whose numbers for these series are typed here, and against closed forms."""

import numpy as np
import pytest

from heldout.engine.sampling.convergence import (
    bulk_size,
    effective_size,
    monte_carlo_error,
    r_hat,
    rank_normalised,
    split,
    tail_size,
)


def series(kind: str) -> np.ndarray:
    """Autoregressions of four chains, or a heavy-tailed law."""
    noise = np.random.default_rng(12345).normal(size=(4, 200))
    if kind in ("white", "cubed"):
        return noise if kind == "white" else noise**3
    factor = {"sticky": 0.9, "alternating": -0.6}[kind]
    x = np.zeros_like(noise)
    x[:, 0] = noise[:, 0]
    for t in range(1, 200):
        x[:, t] = factor * x[:, t - 1] + noise[:, t]
    return x


#: rhat(rank), ess(bulk), ess(tail, prob=(.05, .95)), ess(mean), mcse(mean) of arviz_stats.base.array_stats.
PEER = {
    "white": (0.9984725009081631, 786.6530626374821, 733.5008333983889, 784.9253295518633, 0.03599026664473763),
    "sticky": (1.0438899450762729, 63.93024081262858, 88.90378879341979, 62.55944314194049, 0.2850991521087779),
    "alternating": (1.0050607372172844, 2322.471989593555, 739.9640900895071, 2322.471989593555, 0.025831674113151737),
    "cubed": (0.9983046973760894, 786.6530626374821, 733.5008333983889, 777.5665531230951, 0.13668424225964257),
}


@pytest.mark.parametrize("kind", PEER)
def test_they_are_those_of_the_peer(kind: str) -> None:
    x = series(kind)
    ours = r_hat(x), bulk_size(x), tail_size(x), effective_size(split(x)), monte_carlo_error(x)
    assert ours == pytest.approx(PEER[kind], rel=1e-9)


def test_a_chain_that_sits_elsewhere_is_seen() -> None:
    assert r_hat(series("sticky") + np.array([0, 0, 0, 2.0])[:, None]) == pytest.approx(1.167118716719967, rel=1e-9)


def test_chains_of_different_width_are_seen() -> None:
    assert r_hat(series("white") * np.array([1, 1, 1, 5.0])[:, None]) > 1.1


def test_the_size_of_an_autoregression_is_that_of_theory() -> None:
    """``S (1 - phi) / (1 + phi)``; with 160,000 draws the estimate is within 10 %."""
    noise = np.random.default_rng(0).normal(size=(8, 20_000))
    x = np.zeros_like(noise)
    for t in range(1, noise.shape[1]):
        x[:, t] = 0.8 * x[:, t - 1] + noise[:, t]
    assert effective_size(x) == pytest.approx(x.size * 0.2 / 1.8, rel=0.1)


def test_ranks_become_normal_scores() -> None:
    scores = rank_normalised(np.array([[3.0, 1.0, 2.0]]))
    assert scores[0, 2] == pytest.approx(0.0, abs=1e-12)
    assert (
        scores[0, 0] == pytest.approx(-scores[0, 1]) == pytest.approx(0.8694, abs=1e-4)
    )  # the normal quantile of 2.625 / 3.25


def test_what_does_not_vary_has_no_r_hat() -> None:
    still = np.ones((4, 50))
    assert np.isnan(r_hat(still))
    assert effective_size(still) == still.size
    assert monte_carlo_error(still) == 0.0


def test_halves_leave_out_the_middle() -> None:
    assert split(np.arange(5.0)[None]).tolist() == [[0.0, 1.0], [3.0, 4.0]]
