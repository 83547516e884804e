"""Disagreement transfer: by hand, coverage against a network that saw the surrogate's bound, and its refusals."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from scipy.stats import binom
from tests import cases
from tests.oracles.held_out import clopper_pearson

import heldout
from heldout.bounds.disagreement import disagreement, disagreement_picked
from heldout.catalog import units
from heldout.engine.evidence.picking import Picked
from heldout.engine.evidence.surrogates import Transferred
from heldout.engine.numerics.pick_to_learn import pick_to_learn_upper
from heldout.engine.training import Recipe
from heldout.records import Status
from heldout.verbs.simulate import simulate_family

QUICK = Recipe(optimizer="adam", lr=1e-2, batch_size=16, steps=60)
KNOWN = Transferred(np.array([3, 0]), 50, np.array([2, 80]), 80, np.array([7, 1]))


def test_by_hand() -> None:
    said = disagreement(KNOWN, log_delta=math.log(0.1))
    own, apart = clopper_pearson(3, 50, 0.05), clopper_pearson(2, 80, 0.05)
    assert said.value[0] == pytest.approx(own + apart, abs=1e-10)
    assert said.value[0] >= own + apart - 1e-12
    assert said.value[1] == 1  # they disagree everywhere
    assert said.terms["surrogate's risk"][0] == pytest.approx(own, abs=1e-10)
    assert said.empirical_risk[0] == pytest.approx(3 / 50 + 2 / 80)
    assert said.baseline is not None
    assert said.baseline[0] == pytest.approx(clopper_pearson(7, 80, 0.1), abs=1e-10)
    assert [share for _, share in said.steps] == [0.5, 0.5]


def test_through_picks_by_hand() -> None:
    picked = Picked(np.array([4]), np.array([1]), 60)
    said = disagreement_picked(picked, np.array([5]), KNOWN, log_delta=math.log(0.1))
    own, apart = float(pick_to_learn_upper(5, 60, math.log(0.05))), clopper_pearson(5, 80, 0.05)
    assert said.value[0] == pytest.approx(own + apart, abs=1e-10)
    assert said.empirical_risk[0] == pytest.approx(1 / 60 + 5 / 80)


@pytest.mark.parametrize("delta", [0.05, 0.3])
def test_it_covers(delta: float) -> None:
    rows = simulate_family("transfer", problems=4000, delta=delta, seed=3)
    assert {row["bound"] for row in rows} == {"disagreement", "disagreement-picked", "rounded-weights"}
    for row in rows:  # a rate of delta exceeds this with probability below 1e-6
        assert row["violations"] <= binom.isf(1e-6, 4000, delta)
    assert delta < 0.1 or any(row["violations"] > 0 for row in rows)  # it could have failed


def test_the_networks_own_errors_on_what_it_has_seen_would_not_cover() -> None:
    make = units("bound")["disagreement"].fields["problem"]
    needs, risks = make(np.random.default_rng(1), 4000)
    known = needs["transferred"]
    without = Transferred(known.errors, known.examples, 0 * known.disagreements, 10**9)
    assert (disagreement(without, log_delta=math.log(0.2)).value < risks).sum() > binom.isf(1e-6, 4000, 0.2)


@pytest.fixture(scope="module")
def found() -> Any:
    subject = cases.together([cases.mlp(0), cases.mlp(1)])
    return heldout.certify(subject, families="transfer", recipe=QUICK, delta=0.2, seed=1)


def test_a_real_network_end_to_end(found: Any) -> None:
    for name in ("disagreement", "disagreement-picked", "rounded-weights"):
        assert len(found[name]) == 2
        for one in found[name]:
            assert one.status in (Status.VALID, Status.VACUOUS)
            assert one.value >= one.empirical_risk
            assert "labels unused" in one.data_ledger["disagreement"]
    one = found["disagreement"][0]
    assert one.certifies == "this network"
    assert one.baseline["name"] == "clopper-pearson"
    assert not one.baseline["adds_information"]
    assert one.examples == 90


def test_labels_of_the_test_data_move_nothing_but_the_baseline(found: Any) -> None:
    case = cases.mlp(0)
    x, y = case.test
    other = cases.together([cases.mlp(0), cases.mlp(1)], test=(x, (y + 1) % 3))
    again = heldout.certify(other, families="transfer", recipe=QUICK, delta=0.2, seed=1)
    for name in ("disagreement", "disagreement-picked", "rounded-weights"):
        assert [one.value for one in again[name]] == [one.value for one in found[name]]
    assert again["disagreement"][0].baseline["value"] > found["disagreement"][0].baseline["value"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"selected_on_test": True}, "took part in choosing"),
        ({"test": None}, "no test data"),
        ({"initial": None}, "initial"),
        ({"test": tuple(part[:30] for part in cases.mlp().train)}, "30 test inputs equal"),
    ],
)
def test_what_would_not_be_valid_is_not_issued(changes: dict[str, Any], words: str) -> None:
    absent = heldout.certify(cases.mlp().subject(**changes), families="transfer", recipe=QUICK).absent
    assert words in absent["disagreement"]
    assert words in absent["rounded-weights"]


def test_repeats_may_be_declared_independent_draws() -> None:
    x, y = cases.mlp().test
    twice = (torch.cat([x, x[:5]]), torch.cat([y, y[:5]]))
    train = tuple(torch.cat([ours, theirs[:2]]) for ours, theirs in zip(cases.mlp().train, twice, strict=True))
    subject = cases.mlp().subject(test=twice, train=train, duplicates="allow")
    assert len(heldout.certify(subject, families="transfer", recipe=QUICK)["disagreement"]) == 1
