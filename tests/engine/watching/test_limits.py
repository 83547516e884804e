"""Limits that survive a choice: their formula, and exactly how often they fail."""

import numpy as np
import pytest
from tests.oracles.selection import failure, failure_of_any, winners

from heldout.engine.numerics import binomial_inverse_upper
from heldout.engine.watching.limits import limits_for_all, limits_of, on_halves, shares
from heldout.records import Refusal

RISKS = [0.2] * 20


def test_shares_add_up_to_no_more_than_one() -> None:
    assert shares(7).sum() == pytest.approx(1)
    assert shares(1000, adaptive=True).sum() == pytest.approx(1 - 1 / 1001)  # a telescope


def test_no_errors_have_the_closed_form() -> None:
    assert limits_for_all([0, 0, 0], 50, delta=0.1) == pytest.approx([1 - (0.1 / 3) ** (1 / 50)] * 3, abs=1e-12)
    adaptive = limits_for_all([0, 0], 50, delta=0.1, adaptive=True)
    assert adaptive == pytest.approx([1 - (0.1 / 2) ** (1 / 50), 1 - (0.1 / 6) ** (1 / 50)], abs=1e-12)


@pytest.mark.parametrize("adaptive", [False, True])
def test_the_union_fails_with_at_most_delta_exactly(adaptive: bool) -> None:
    table = np.stack([limits_for_all([x] * 20, 60, delta=0.1, adaptive=adaptive) for x in range(61)])
    any_of_them = failure_of_any(RISKS, 60, lambda k, x: table[x, k])
    assert failure(RISKS, 60, lambda k, x: table[x, k]) <= any_of_them + 1e-9 <= 0.1
    assert any_of_them > 0.01  # not by being empty


def test_a_limit_that_does_not_pay_for_the_choice_fails_far_more_often() -> None:
    alone = [float(binomial_inverse_upper(x, 60, np.log(0.1))) for x in range(61)]
    assert failure(RISKS, 60, lambda _k, x: alone[x]) > 0.5


def test_the_oracle_is_a_distribution_over_winners() -> None:
    assert winners([0.3, 0.1, 0.2], 9).sum() == pytest.approx(1)
    # one example, two fair coins: the second wins only with (1, 0)
    assert winners([0.5, 0.5], 1)[1] == pytest.approx([0.25, 0])


def test_losses_of_a_known_range_are_bet_on_and_others_have_no_limit() -> None:
    losses = 4 * np.random.default_rng(0).beta(2, 6, size=(3, 400))
    found = limits_of(losses, loss_range=(0, 4), seed=1)
    assert found is not None
    assert (found > losses.mean(-1)).all()
    assert (found < losses.mean(-1) + 0.6).all()
    assert limits_of(losses) is None
    other_order = limits_of(losses, loss_range=(0, 4), seed=2)
    assert other_order is not None
    assert (found != other_order).all()


def test_the_other_half_pays_nothing_for_the_choice() -> None:
    wrong = np.zeros((3, 100))
    wrong[0] = wrong[2] = 1
    half = on_halves(wrong, delta=0.1, seed=3)
    assert half.checkpoint == 1
    assert half.limit == pytest.approx(1 - 0.1 ** (1 / 50))
    assert on_halves(wrong + 0.5).limit is None


@pytest.mark.parametrize("delta", [0.0, 1.0, float("nan")])
def test_delta_is_a_probability(delta: float) -> None:
    with pytest.raises(Refusal, match="strictly between 0 and 1"):
        limits_for_all([1], 10, delta=delta)
