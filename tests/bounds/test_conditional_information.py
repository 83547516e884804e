"""Conditional information: the interpolating identity, orderings, what it calls itself, and a real network."""

import math

import numpy as np
import pytest
from tests import cases

import heldout
from heldout.bounds.conditional_information import e_cmi, f_cmi, loss_difference_cmi, loss_difference_mi
from heldout.engine.evidence.supersample import Supersampled
from heldout.engine.training import Recipe
from heldout.records import Refusal, Status

ALL = (loss_difference_mi, loss_difference_cmi, e_cmi, f_cmi)


def made(
    generator: np.random.Generator, *, seen: float, hidden: float, pairs: int = 60, draws: int = 200
) -> Supersampled:
    """Answers among three classes, wrong with these chances."""
    coins = generator.integers(2, size=(draws, pairs))
    labels = generator.integers(3, size=(2, pairs, 2))
    shown = coins[..., None] == np.arange(2)
    wrong = generator.random((2, draws, pairs, 2)) < np.where(shown, seen, hidden)
    answers = np.where(wrong, (labels[:, None] + generator.integers(1, 3, size=wrong.shape)) % 3, labels[:, None])
    return Supersampled(answers, labels, coins, seed=3)


def test_seen_and_hidden_losses_are_told_apart() -> None:
    known = Supersampled(np.array([[[[0, 1], [2, 2]]]]), np.array([[[0, 0], [2, 1]]]), np.array([[0, 1]]))
    assert known.seen.tolist() == [[[0, 1]]]
    assert known.hidden.tolist() == [[[1, 0]]]


@pytest.mark.parametrize("hidden", [0.0, 0.1, 0.6, 1.0])
def test_where_all_that_is_seen_is_right_the_information_is_the_risk(hidden: float) -> None:
    known = made(np.random.default_rng(1), seen=0.0, hidden=hidden)
    said = loss_difference_mi(known, log_delta=-3.0)
    assert said.terms["risk if interpolating"] == pytest.approx(known.hidden.mean((1, 2)), abs=1e-12)
    assert said.value == pytest.approx(np.sqrt(2 * math.log(2) * known.hidden.mean((1, 2))), abs=1e-12)
    assert (
        "risk if interpolating"
        not in loss_difference_mi(made(np.random.default_rng(1), seen=0.1, hidden=hidden), log_delta=-3.0).terms
    )


def test_the_known_law_is_recovered() -> None:
    seen, hidden = 0.1, 0.5
    said = loss_difference_cmi(made(np.random.default_rng(2), seen=seen, hidden=hidden, draws=4000), log_delta=-3.0)
    larger, smaller = hidden * (1 - seen), seen * (1 - hidden)
    share = larger / (larger + smaller)
    entropy = -share * math.log(share) - (1 - share) * math.log(1 - share)
    gap = math.sqrt(2 * (larger + smaller) * (math.log(2) - entropy))
    assert said.terms["gap"] == pytest.approx(
        [gap, gap], rel=0.02
    )  # information is known to a few per cent of each pair
    assert (said.terms["gap"] > hidden - seen).all()
    assert said.value == pytest.approx(said.empirical_risk + said.terms["gap"])


def test_more_outcomes_tell_more() -> None:
    known = made(np.random.default_rng(3), seen=0.1, hidden=0.4)
    raw = [unit(known, log_delta=-3.0).terms["gap without correction"] for unit in (loss_difference_cmi, e_cmi, f_cmi)]
    assert (raw[0] <= raw[1]).all()
    assert (raw[1] <= raw[2]).all()


def test_chance_stands_beside_it_and_is_not_taken_for_information() -> None:
    nothing = made(np.random.default_rng(4), seen=0.3, hidden=0.3, draws=30)
    for unit in (loss_difference_cmi, e_cmi, f_cmi):
        terms = unit(nothing, log_delta=-3.0).terms
        assert (terms["gap"] < terms["gap without correction"]).all()
        assert np.abs(terms["gap"] - terms["gap by chance"]).max() < 0.08
        assert (terms["p-value"] > 0.02).all()
    something = e_cmi(made(np.random.default_rng(4), seen=0.1, hidden=0.6, draws=30), log_delta=-3.0).terms
    assert something["p-value"] == pytest.approx([1 / 101] * 2)
    assert (loss_difference_mi(nothing, log_delta=-3.0).terms["gap"] < 0.05).all()


def test_the_standard_error_is_that_of_pairs() -> None:
    made_again = [made(np.random.default_rng([5, i]), seen=0.05, hidden=0.4, pairs=80, draws=8) for i in range(150)]
    said = [loss_difference_mi(known, log_delta=-3.0).terms for known in made_again]
    spread = np.std([terms["gap"] for terms in said])
    assert np.mean([terms["standard error"] for terms in said]) == pytest.approx(spread, rel=0.3)


def test_a_real_network_is_an_estimate_and_never_the_best_certificate() -> None:
    recipe = Recipe(optimizer="adam", lr=1e-2, batch_size=None, steps=40)
    subject = cases.together([cases.generalizer(0), cases.generalizer(1)])
    found = heldout.certify(subject, families="information", recipe=recipe, delta=0.1, seed=2)
    for unit in ALL:
        for one in found[unit.__name__.replace("_", "-")]:
            assert one.status is Status.ESTIMATE
            assert one.delta == 0
            assert one.ledger == ()
            assert one.examples == 30
            assert one.value >= one.empirical_risk
            assert "no probability" in one.statement
    with pytest.raises(Refusal):
        found.best()
