"""A part of a finite pool: exact enumeration with fractions, the limit of a large pool, the whole pool."""

import math
from fractions import Fraction

import numpy as np
import pytest
from tests.bounds.losses import zero_one

from heldout.bounds.without_replacement import betting_without_replacement, graded_pools, pools, without_replacement
from heldout.engine.numerics import binomial_inverse_upper
from heldout.engine.numerics.finite_pool import pool_errors_upper
from heldout.engine.numerics.pool_betting import pool_betting_upper
from heldout.records import Refusal


def enumerated(k: int, n: int, pool: int, delta: Fraction) -> int:
    """The largest number of errors by exact arithmetic."""

    def tail(errors: int) -> Fraction:
        ways = sum(math.comb(errors, i) * math.comb(pool - errors, n - i) for i in range(k + 1))
        return Fraction(ways, math.comb(pool, n))

    return max(errors for errors in range(pool + 1) if tail(errors) >= delta and errors >= k)


@pytest.mark.parametrize(
    ("k", "n", "pool"), [(0, 5, 12), (2, 10, 30), (0, 29, 30), (7, 20, 55), (30, 30, 40), (0, 1, 1)]
)
@pytest.mark.parametrize("delta", [Fraction(1, 20), Fraction(1, 1000), Fraction(1, 2)])
def test_against_exact_enumeration(k: int, n: int, pool: int, delta: Fraction) -> None:
    found = pool_errors_upper(k, n, pool, math.log(delta))
    exact = Fraction(enumerated(k, n, pool, delta), pool)
    assert 0 <= Fraction(float(found)) - exact < Fraction(1, 10**12)


def test_clopper_pearson_is_its_limit_and_never_below_it() -> None:
    for k in (0, 3, 40):
        exact = float(binomial_inverse_upper(k, 100, math.log(0.05)))
        values = [float(pool_errors_upper(k, 100, pool, math.log(0.05))) for pool in (200, 2000, 10**7)]
        assert values == sorted(values)
        assert values[-1] == pytest.approx(exact, abs=1e-5)


def test_the_certificate_speaks_of_the_pool() -> None:
    said = without_replacement(np.concatenate([zero_one(3, 40), zero_one(0, 40)]), 60, log_delta=math.log(0.1))
    assert said.value.tolist() == [float(pool_errors_upper(k, 40, 60, math.log(0.1))) for k in (3, 0)]
    assert said.empirical_risk.tolist() == [0.075, 0.0]
    assert "pool of 60" in said.data["bound"]


def test_its_problems_have_the_risk_they_say() -> None:
    needs, risks = pools(np.random.default_rng(0), 4000)
    # a mean over 4,000 samples of 60: six standard errors are below 0.003
    assert needs["held_out_losses"].mean() == pytest.approx(0.12, abs=0.003)
    assert risks.tolist() == [0.12] * 4000


@pytest.mark.parametrize("wrong", [(5, 4, 10), (-1, 4, 10), (1, 11, 10), (0, 0, 10)])
def test_numbers_out_of_order_are_refused(wrong: tuple[int, int, int]) -> None:
    with pytest.raises(Refusal, match="sample of"):
        pool_errors_upper(*wrong, log_delta=-3.0)
    with pytest.raises(Refusal, match="log_delta"):
        pool_errors_upper(1, 4, 10, 0.5)


def test_betting_speaks_of_the_pool_too_and_order_seed_moves_it_a_little() -> None:
    losses = np.random.default_rng(8).beta(1, 6, (1, 60))
    said = [
        betting_without_replacement(losses, 90, log_delta=math.log(0.1), order_seed=seed).value[0] for seed in (0, 1)
    ]
    assert said[0] != said[1]
    for seed, value in enumerate(said):
        order = np.random.Generator(np.random.PCG64(seed)).permutation(60)
        assert value == pool_betting_upper(losses[:, order], 90, math.log(0.1))[0]
    needs, risks = graded_pools(np.random.default_rng(0), 4000)
    assert needs["held_out_losses"].mean() == pytest.approx(risks[0], abs=0.005)  # six standard errors are 0.001
