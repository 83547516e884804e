"""What is not in equilibrium is refused, each with its own sentence and with what would be needed."""

import numpy as np
import pytest

from heldout.engine.sampling.equilibrium import Equilibrium, equilibrium

SIZES = {"a": 30, "b": 10}


def chains(draws: int = 200) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Eight healthy chains: losses, distances, virials of the two tensors."""
    generator = np.random.default_rng(0)
    squares = generator.chisquare([30, 10], size=(8, draws, 2))
    return 1 + 0.01 * squares.sum(2), squares.sum(2), squares


def judged(losses: np.ndarray, distances: np.ndarray, virials: np.ndarray, asked: int = 8) -> Equilibrium:
    return equilibrium(losses, distances, virials, SIZES, asked=asked, sweeps=1000.0)


def test_healthy_chains_pass_with_their_numbers() -> None:
    found = judged(*chains())
    assert found.converged
    assert found.reason == ""
    assert found.numbers["virial"] == pytest.approx(1.0, abs=0.03)
    assert found.layers == pytest.approx({"a": 1.0, "b": 1.0}, abs=0.05)


def test_chains_that_agree_but_have_not_spread_are_refused() -> None:
    """As those of the recipe that everybody copies: a fifth of the way, and R-hat sees nothing."""
    losses, distances, virials = chains()
    found = judged(losses, 0.2 * distances, 0.2 * virials)
    assert found.numbers["r_hat_loss"] < 1.01
    assert not found.converged
    assert "have not yet spread" in found.reason
    assert "budget=4000" in found.reason


def test_one_tensor_alone_is_found() -> None:
    losses, distances, virials = chains()
    found = judged(losses, distances, virials * np.array([1.05, 0.7]))
    assert "'b'" in found.reason


def test_a_chain_in_another_basin_is_named() -> None:
    losses, distances, virials = chains()
    losses[5] += 3.0
    found = judged(losses, distances, virials)
    assert not found.converged
    assert "chain 5 sits at a mean loss of 4.4" in found.reason


def test_sticky_chains_are_told_what_they_need() -> None:
    generator = np.random.default_rng(1)
    steps = generator.normal(size=(8, 400))
    slow = np.zeros_like(steps)
    for t in range(1, 400):
        slow[:, t] = 0.97 * slow[:, t - 1] + steps[:, t]
    _, distances, virials = chains(400)
    found = judged(slow, distances, virials)
    assert not found.converged
    assert "budget=" in found.reason


def test_diverged_chains_are_counted_and_too_many_refused() -> None:
    losses, distances, virials = chains()
    one_lost = judged(losses[:7], distances[:7], virials[:7])
    assert one_lost.converged
    assert one_lost.numbers["diverged"] == 1.0
    assert "3 of 8 chains diverged" in judged(losses[:5], distances[:5], virials[:5]).reason


def test_chains_that_never_moved_are_refused() -> None:
    _, distances, virials = chains()
    assert "never left their start" in judged(np.ones((8, 200)), distances, virials).reason


def test_few_draws_are_refused() -> None:
    assert "too few" in judged(*(each[:, :10] for each in chains())).reason
