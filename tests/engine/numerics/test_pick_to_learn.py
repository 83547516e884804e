"""The equation of Pick-to-Learn against exact fractions, the golden table, and its neighbours' bounds."""

import math
from fractions import Fraction

import mpmath as mp
import numpy as np
import pytest
from scipy.stats import beta

from heldout.engine.numerics import binomial_inverse_upper
from heldout.engine.numerics.pick_to_learn import pick_to_learn_upper, sample_compression_upper
from heldout.records import Refusal


def left_side(k: int, n: int, delta: Fraction, epsilon: Fraction) -> Fraction:
    """The equation's left side, typed from the paper, without rounding."""
    total = sum(
        Fraction(math.comb(m, k), math.comb(n, k)) / (1 - epsilon) ** (n - m) for m in range(k, n)
    )  # fmt: skip
    return delta / n * total


@pytest.mark.parametrize(("k", "n"), [(0, 1), (0, 7), (1, 2), (3, 40), (20, 40), (39, 40), (5, 90)])
@pytest.mark.parametrize("delta", [Fraction(1, 20), Fraction(1, 2), Fraction(1, 10**30)])
def test_it_lies_above_the_root_and_within_1e_12_of_it(k: int, n: int, delta: Fraction) -> None:
    upper = float(pick_to_learn_upper(k, n, math.log(delta)))
    if upper < 1:
        assert left_side(k, n, delta, Fraction(upper)) >= 1
    below = Fraction(upper) - Fraction(1, 10**12)
    assert below < Fraction(k, n) or left_side(k, n, delta, below) < 1


@pytest.mark.parametrize(
    ("k", "n", "log_delta"), [(30, 3000, -3.0), (900, 3000, -50.0), (3, 3000, -5000.0), (0, 3000, -0.1)]
)
def test_large_sums_agree_with_mpmath(k: int, n: int, log_delta: float) -> None:
    with mp.workdps(60):

        def excess(epsilon: mp.mpf) -> mp.mpf:
            ratio, total = mp.mpf(1), mp.mpf(0)
            for m in range(n - 1, k - 1, -1):  # C(m, k) / C(n, k) by its recursion
                ratio *= mp.mpf(m + 1 - k) / (m + 1)
                total += ratio * (1 - epsilon) ** (m - n)
            return mp.log(total / n) + mp.mpf(log_delta)

        upper = mp.mpf(float(pick_to_learn_upper(k, n, log_delta)))
        assert excess(upper) >= 0
        assert excess(upper - mp.mpf("1e-12")) < 0


@pytest.mark.parametrize(
    ("n", "k", "printed"),
    [(1000, 20, 0.0355), (10000, 100, 0.0134), (60000, 300, 0.0060), (60000, 600, 0.0114), (60000, 1200, 0.0220)],
)
def test_the_printed_table(n: int, k: int, printed: float) -> None:
    assert round(float(pick_to_learn_upper(k, n, math.log(0.05))), 4) == printed


def test_any_compression_pays_five_times_as_much() -> None:
    general = float(sample_compression_upper(300, 0, 60000, math.log(0.05)))
    assert round(general, 4) == 0.0313
    assert general > 5 * float(pick_to_learn_upper(300, 60000, math.log(0.05)))


def test_it_lies_above_the_quantile_of_a_fixed_number_of_supports() -> None:
    # where exactly k examples always determine the predictor, the risk follows Beta(k, n - k + 1): no bound may be below
    for k in (1, 5, 50):
        assert pick_to_learn_upper(k, 200, math.log(0.1)) > beta.ppf(0.9, k, 200 - k + 1)


def test_it_rises_with_k_and_falls_with_n_and_delta() -> None:
    over_k = pick_to_learn_upper(np.arange(0, 51), 50, math.log(0.05))
    assert (np.diff(over_k) > 0).all()
    assert over_k[-1] == 1
    assert (np.diff(pick_to_learn_upper(5, [10, 100, 1000], math.log(0.05))) < 0).all()
    assert (np.diff(pick_to_learn_upper(5, 100, np.log([0.001, 0.01, 0.5]))) < 0).all()


def test_general_compression_by_hand() -> None:
    price = math.log(0.05) + math.log(6 / math.pi**2) - 2 * math.log(4) - math.log(math.comb(50, 3))
    expected = binomial_inverse_upper(2, 47, price)
    assert sample_compression_upper(3, 2, 50, math.log(0.05)) == pytest.approx(expected, abs=1e-12)
    assert sample_compression_upper(3, 2, 50, math.log(0.05)) >= expected
    assert sample_compression_upper(50, 0, 50, math.log(0.05)) == 1


@pytest.mark.parametrize(
    ("k", "n", "log_delta", "words"),
    [(-1, 10, -3.0, "whole number"), (11, 10, -3.0, "whole number"), (1, 0, -3.0, "at least 1"), (1, 10, 0.0, "log_delta"),
     (1, 10, -math.inf, "log_delta"), (1.5, 10, -3.0, "whole number")],
)  # fmt: skip
def test_what_is_outside_is_refused(k: float, n: int, log_delta: float, words: str) -> None:
    with pytest.raises(Refusal, match=words):
        pick_to_learn_upper(k, n, log_delta)


def test_more_errors_than_other_examples_are_refused() -> None:
    with pytest.raises(Refusal, match="whole number"):
        sample_compression_upper(8, 3, 10, -3.0)
