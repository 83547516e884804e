"""Pick-to-Learn: the account, coverage on growing boxes, and a real network from end to end."""

import math

import numpy as np
import pytest
import torch
from scipy.stats import binom
from tests import cases

import heldout
from heldout.bounds.pick_to_learn import pick_to_learn
from heldout.catalog import units
from heldout.engine.evidence.picking import Picked
from heldout.engine.evidence.picking_problems import boxes
from heldout.engine.numerics.pick_to_learn import pick_to_learn_upper
from heldout.engine.training import Recipe
from heldout.records import Status
from heldout.verbs.simulate import simulate_family

QUICK = Recipe(optimizer="adam", lr=1e-2, batch_size=None, steps=60, stop="loss", target_loss=0.1)


def test_errors_left_are_counted_among_the_kept() -> None:
    said = pick_to_learn(Picked(np.array([3, 7]), np.array([4, 0]), 100), log_delta=math.log(0.1))
    assert said.value.tolist() == [pick_to_learn_upper(7, 100, math.log(0.1))] * 2
    assert said.empirical_risk.tolist() == [0.04, 0.0]
    assert said.terms["kept examples"].tolist() == [3, 7]
    assert said.steps[0][1] == 1.0


def test_all_examples_kept_says_nothing() -> None:
    assert pick_to_learn(Picked(np.array([10]), np.array([0]), 10), log_delta=-3.0).value[0] == 1


def test_boxes_have_the_risk_they_are_said_to_have() -> None:
    picked, risks = boxes(np.random.default_rng(5), 4000)
    assert set(range(1, 10)) >= set(picked.kept)
    assert (picked.kept <= 6)[picked.errors == 0].all()  # three dimensions have six sides
    assert (picked.errors > 0).any()
    full = picked.errors == 0
    # a box around all of n points leaves 1 - ((n - 1) / (n + 1))^3 on average; stopping early leaves more
    stopped_late = risks[full & (picked.kept == 6)]
    assert stopped_late.mean() == pytest.approx(1 - (39 / 41) ** 3, abs=0.02)


def test_it_covers() -> None:
    rows = [row for row in simulate_family("sample-compression", problems=3000, delta=0.2, seed=4)]
    assert {row["bound"] for row in rows} >= {"pick-to-learn", "sample-compression"}
    for row in rows:  # Bin(3000, 0.2) exceeds this with probability below 1e-6
        assert row["violations"] <= binom.isf(1e-6, 3000, 0.2)
    violated = next(row["violations"] for row in rows if row["bound"] == "pick-to-learn")
    assert violated > 0  # not so loose that the test could not fail


def test_forgetting_the_errors_left_would_not_cover() -> None:
    picked, risks = boxes(np.random.default_rng(4), 3000)
    wrong = pick_to_learn(Picked(picked.kept, 0 * picked.errors, picked.examples), log_delta=math.log(0.2))
    assert (wrong.value < risks).sum() > binom.isf(1e-6, 3000, 0.2)


def test_a_real_network_end_to_end() -> None:
    subject = cases.together([cases.generalizer(0), cases.generalizer(1)])
    found = heldout.certify(subject, families=["sample-compression"], recipe=QUICK, delta=0.1, seed=2)
    for member in (0, 1):
        ours, general = found["pick-to-learn"][member], found["sample-compression"][member]
        assert ours.status in (Status.VALID, Status.VACUOUS)
        assert ours.value is not None
        assert general.value is not None
        kept, left = ours.terms["kept examples"], ours.terms["errors left"]
        assert ours.value == pick_to_learn_upper(kept + left, 60, math.log(0.1))
        assert ours.value < general.value
        assert ours.baseline["name"] == "none"
        assert "bit by bit" in ours.data_ledger["reconstruction"]


def test_without_untrained_networks_it_says_why() -> None:
    found = heldout.certify(cases.mlp().subject(initial=None), families=["sample-compression"])
    assert "initial" in found.absent["pick-to-learn"]


def test_copies_among_the_examples_are_refused_unless_declared() -> None:
    x, y = cases.generalizer().train
    train = (torch.cat([x, x[:4]]), torch.cat([y, y[:4]]))
    absent = heldout.certify(
        cases.generalizer().subject(train=train), families="sample-compression", recipe=QUICK
    ).absent
    assert "4 training examples have the same input" in absent["pick-to-learn"]
    declared = cases.generalizer().subject(train=train, duplicates="allow")
    assert len(heldout.certify(declared, families="sample-compression", recipe=QUICK)) == 2


def test_it_is_declared_valid_with_its_object() -> None:
    unit = units("bound")["pick-to-learn"]
    assert unit.fields["standing"] is Status.VALID
    assert "rebuilt" in unit.fields["certifies"]
