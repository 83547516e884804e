"""Two worlds over a finite field: the learner against enumeration, the closed form, and the verdicts."""

import itertools

import numpy as np
import pytest

import heldout
from heldout.engine.numerics.finite_fields import row_reduced
from heldout.studies import impossibility as study


def test_the_learner_s_function_is_consistent_wherever_one_exists() -> None:
    draw = np.random.default_rng(0)
    x, y = draw.integers(0, 3, (200, 3, 2)), draw.integers(0, 3, (200, 3))
    reduced = row_reduced(np.concatenate([x, y[:, :, None]], axis=2), 3)
    answers = study._solution(reduced, 2, 3, draw)
    for sample, labels, answer in zip(x, y, answers, strict=True):
        consistent = [w for w in itertools.product(range(3), repeat=2) if (sample @ w % 3 == labels).all()]
        if consistent:
            assert tuple(answer) in consistent


def test_losses_are_those_of_the_definition() -> None:
    rows = study.impossibility(field=3, world="subspace", dimension=4, examples=2, repetitions=20000, seed=1)
    # full rank: found exactly; rank 1: right with chance 1/3; rank 0: 1/9 (five standard errors of 20,000 draws)
    counts = {r: 0 for r in range(3)}
    for matrix in itertools.product(range(3), repeat=4):
        a, b, c, d = matrix
        counts[2 if (a * d - b * c) % 3 else (1 if any(matrix) else 0)] += 1
    expected = (2 / 3) * (counts[1] * (2 / 3) + counts[0] * (8 / 9)) / 81
    assert rows["loss"].mean() == pytest.approx(expected, abs=5.5 * np.sqrt(0.25 / 20000))
    assert rows["theory"][0] == pytest.approx(counts[2] / 81)
    arbitrary = study.impossibility(field=3, world="arbitrary", dimension=4, examples=2, repetitions=20000, seed=1)
    assert arbitrary["loss_of_full_rank"].mean() == pytest.approx((2 / 3) * (1 - 1 / 9), abs=0.02)


def test_the_smoke_run_reproduces_every_claim() -> None:
    assert [claim["verdict"] for claim in heldout.study("impossibility").claims] == ["reproduced"] * 3
