"""Gaps and noisy information: the mean of Gaussians, of which everything is known, and the ends."""

import math

import numpy as np
import pytest

from heldout.engine.numerics.information_gaps import (
    individual_gap,
    noisy_information,
    private_information,
    single_information,
    supersample_gap,
    supersample_risk,
    xu_raginsky_gap,
)
from heldout.records import Refusal


@pytest.mark.parametrize(("n", "d", "variance", "noise"), [(10, 3, 2.0, 0.5), (100, 1, 1.0, 0.05), (5, 7, 0.3, 2.0)])
def test_the_mean_of_gaussians(n: int, d: int, variance: float, noise: float) -> None:
    whole = noisy_information([d * variance / n], [d], noise)
    assert whole == pytest.approx(d / 2 * math.log(1 + variance / (n * noise**2)))  # a Gaussian channel's capacity
    rest = variance * (n - 1) / n**2 + noise**2
    alone = single_information([d * variance / n], [d * variance / n**2], [d], noise)
    assert alone == pytest.approx(
        d / 2 * math.log((variance / n + noise**2) / rest)
    )  # entropies of the sum, given Z_i or not
    assert n * alone <= whole  # independent examples


def test_the_mean_of_gaussians_without_noise() -> None:
    assert noisy_information([1.0, 0.0], [2, 5], 0.0) == np.inf
    assert noisy_information([0.0, 0.0], [2, 5], 0.0) == 0.0
    n, d = 20, 4
    alone = single_information(
        [d / n], [d / n**2], [d], np.zeros(n)
    )  # Bu, Zou and Veeravalli 2020, section IV-A: finite
    assert single_information([1.0], [1.5], [1], [0.0, 1.0]).tolist() == [np.inf, pytest.approx(math.log(2) / 2)]
    assert individual_gap(alone) == pytest.approx(math.sqrt(d / 4 * math.log(n / (n - 1))))


def test_blocks_add_up_and_one_block_of_all_is_larger() -> None:
    apart = noisy_information([[4.0, 1.0]], [2, 3], [0.7])
    assert apart == pytest.approx([math.log(1 + 4 / 2 / 0.49) + 1.5 * math.log(1 + 1 / 3 / 0.49)])
    assert apart < noisy_information([[5.0]], [5], [0.7])


def test_gaps_by_hand() -> None:
    assert xu_raginsky_gap([2.0, 0.0], 4) == pytest.approx([0.5, 0.0])
    assert supersample_gap(2.0, 16) == pytest.approx(0.5)
    assert supersample_risk(3 * math.log(2), 12) == pytest.approx(0.25)
    assert supersample_gap(7 * math.log(2), 7) == pytest.approx(math.sqrt(2 * math.log(2)))


def test_privacy_is_the_divergence_of_a_coin() -> None:
    p = math.exp(0.3) / (1 + math.exp(0.3))
    divergence = p * math.log(p / (1 - p)) + (1 - p) * math.log((1 - p) / p)
    assert private_information(0.3, 50) == pytest.approx(50 * divergence)


def test_what_is_out_of_range_is_refused() -> None:
    for call in (lambda: xu_raginsky_gap(1.0, 0), lambda: supersample_gap(1.0, 0), lambda: private_information(0.0, 5)):
        with pytest.raises(Refusal):
            call()
