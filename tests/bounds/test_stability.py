"""Replace-one stability: the account, the identity enumerated whole, and a real network."""

import itertools
from fractions import Fraction

import numpy as np
import pytest
from tests import cases

import heldout
from heldout.bounds.stability import replace_one
from heldout.engine.evidence.replacing import Replaced, swap_gaps
from heldout.engine.training import Recipe
from heldout.records import Refusal, Status


def test_by_hand() -> None:
    gaps = np.array([[0.5, 0.0, -0.5, 1.0], [0.0, 0.0, 0.0, 0.0]])
    said = replace_one(Replaced(gaps, np.array([[0.1, 0.3]] * 2), np.array([0.2, 0.1]), 70), log_delta=-2.0)
    assert said.value == pytest.approx([0.45, 0.1])
    assert said.terms["gap"] == pytest.approx([0.25, 0.0])
    assert said.terms["standard error"] == pytest.approx([np.sqrt(1.25 / 3) / 2, 0.0])
    assert said.terms["change of a fresh loss"] == pytest.approx([0.2, 0.2])
    assert said.steps == ()
    assert said.examples == 70


def test_one_draw_has_no_standard_error() -> None:
    said = replace_one(Replaced(np.ones((1, 1)), np.ones((1, 1)), np.zeros(1), 5), log_delta=-2.0)
    assert said.terms["standard error"][0] == np.inf


def test_the_mean_over_all_samples_is_the_expected_gap_exactly() -> None:
    # labels of a coin with chance 1/3 of 1, inputs 0 or 1; the algorithm memorises what it saw and says 0 otherwise
    law = {(x, y): Fraction(1, 2) * (Fraction(1, 3) if y else Fraction(2, 3)) for x in (0, 1) for y in (0, 1)}

    def learn(sample: tuple[tuple[int, int], ...]) -> dict[int, int]:
        return dict(sample)  # the last label of an input wins

    def loss(rule: dict[int, int], z: tuple[int, int]) -> int:
        return int(rule.get(z[0], 0) != z[1])

    gap, estimate = Fraction(0), Fraction(0)
    for *sample, fresh in itertools.product(law, repeat=3):
        s, weight = tuple(sample), law[sample[0]] * law[sample[1]] * law[fresh]
        rule = learn(s)
        gap += weight * (loss(rule, fresh) - Fraction(sum(loss(rule, z) for z in s), 2))
        for i in (0, 1):
            other = learn((*s[:i], fresh, *s[i + 1 :]))
            four = [loss(other, s[i]), loss(rule, s[i]), loss(rule, fresh), loss(other, fresh)]
            estimate += weight / 2 * Fraction(float(swap_gaps(*(np.float64(v) for v in four))))
    assert gap == estimate
    assert gap > 0


def test_a_real_network_is_an_estimate() -> None:
    recipe = Recipe(optimizer="adam", lr=1e-2, batch_size=20, steps=40)
    subject = cases.together([cases.generalizer(0), cases.generalizer(1)])
    found = heldout.certify(subject, families="stability", recipe=recipe, delta=0.1, seed=2)
    for one in found["replace-one"]:
        assert one.status is Status.ESTIMATE
        assert one.delta == 0
        assert one.value == pytest.approx(one.empirical_risk + one.terms["gap"])
        assert one.terms["draws"] == 16
        assert "no probability" in one.statement
    with pytest.raises(Refusal):
        found.best()


def test_without_fresh_examples_it_says_why() -> None:
    absent = heldout.certify(cases.mlp().subject(test=None), families="stability").absent
    assert "no test data" in absent["replace-one"]
