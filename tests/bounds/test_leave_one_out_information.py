"""Leave-one-out information: the leave-one-out error, chance, the standard error, and real networks."""

import math

import numpy as np
import pytest
from tests import cases

import heldout
from heldout.bounds.leave_one_out_information import leave_one_out_cmi, leave_one_out_mi
from heldout.engine.evidence.leaving_out import LeftOut
from heldout.engine.training import Recipe
from heldout.records import Status


def made(generator: np.random.Generator, *, seen: float, hidden: float, points: int = 80) -> LeftOut:
    """Two members that err with these chances."""
    chance = np.where(np.eye(points, dtype=bool), hidden, seen)
    wrong = generator.random((2, points, points)) < chance
    return LeftOut(wrong.astype(np.int64), np.zeros((2, points), dtype=np.int64), np.arange(points), seed=3)


@pytest.mark.parametrize("hidden", [0.0, 0.2, 1.0])
def test_where_all_seen_is_right_the_risk_is_the_leave_one_out_error(hidden: float) -> None:
    known = made(np.random.default_rng(1), seen=0.0, hidden=hidden)
    risk = known.hidden.mean(1)
    pooled, fixed = (unit(known, log_delta=-3.0) for unit in (leave_one_out_mi, leave_one_out_cmi))
    assert pooled.terms["risk if interpolating"] == pytest.approx(risk, abs=1e-12)
    own = risk * math.log(80) - np.where(risk < 1, (1 - risk) * np.log(np.maximum(1 - risk, 1e-300)), 0.0)
    assert fixed.terms["information"] == pytest.approx(own)
    assert (fixed.terms["risk if interpolating"] >= risk - 1e-12).all()
    assert (
        "risk if interpolating"
        not in leave_one_out_mi(made(np.random.default_rng(1), seen=0.1, hidden=hidden), log_delta=-3.0).terms
    )


def test_the_known_gap_is_bounded_and_chance_is_not_taken_for_it() -> None:
    something = leave_one_out_mi(made(np.random.default_rng(2), seen=0.05, hidden=0.6), log_delta=-3.0)
    assert (something.terms["gap"] > 0.55).all()
    assert something.terms["p-value"] == pytest.approx([1 / 101] * 2)
    assert something.value == pytest.approx(something.empirical_risk + something.terms["gap"])
    nothing = leave_one_out_mi(made(np.random.default_rng(4), seen=0.3, hidden=0.3), log_delta=-3.0)
    assert (nothing.terms["gap"] < nothing.terms["gap without correction"]).all()
    assert (nothing.terms["p-value"] > 0.02).all()


def test_the_conditional_form_is_the_ceiling_where_every_network_errs_elsewhere() -> None:
    said = leave_one_out_cmi(made(np.random.default_rng(5), seen=0.3, hidden=0.3), log_delta=-3.0)
    assert said.terms["information"] == pytest.approx(said.terms["ceiling"])
    assert said.terms["gap"] == pytest.approx([80 / 79 * math.sqrt(math.log(80) / 2)] * 2)
    assert (said.terms["information of the answers"] >= said.terms["information"] - 1e-12).all()
    assert said.examples == 79


def test_the_standard_error_is_that_of_examples_left_out() -> None:
    said = [
        leave_one_out_mi(made(np.random.default_rng([6, i]), seen=0.02, hidden=0.5, points=40), log_delta=-3.0).terms
        for i in range(40)
    ]
    spread = np.std([terms["gap"] for terms in said])
    assert np.mean([terms["standard error"] for terms in said]) == pytest.approx(spread, rel=0.35)


def test_real_networks_are_estimates() -> None:
    recipe = Recipe(optimizer="adam", lr=1e-2, batch_size=None, steps=40)
    subject = cases.together([cases.generalizer(0), cases.memorizer(0)])
    found = heldout.certify(subject, families="information", recipe=recipe, delta=0.1, seed=2)
    for name in ("leave-one-out-mi", "leave-one-out-cmi"):
        for one in found[name]:
            assert one.status is Status.ESTIMATE
            assert one.delta == 0
            assert one.ledger == ()
            assert one.examples == 59
            assert one.value is not None
            assert one.empirical_risk is not None
            assert one.value >= one.empirical_risk
            assert "no probability" in one.statement
