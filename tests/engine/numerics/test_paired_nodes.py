"""Transductive bounds: suprema by enumeration of all splits of a small graph, formulas typed again, the deviation."""

import itertools
import math

import numpy as np
import pytest

from heldout.engine.numerics.margin_bounds import MarginShares
from heldout.engine.numerics.paired_nodes import (
    counting_upper,
    deviation,
    hidden_weights,
    linear_weights,
    log_complexity,
    paired_upper,
)


@pytest.mark.parametrize("m", [2, 4, 5])
def test_the_mean_over_all_splits_is_below_its_bound_for_a_linear_class(m: int) -> None:
    # ramp losses at margin 1 of f(i) = w.x_i for many w with |w| <= 1, over every split of 8 nodes
    draws, n = np.random.default_rng(0), 8
    x, y = draws.normal(size=(n, 2)), draws.choice([-1.0, 1.0], n)
    angles = np.linspace(0, 2 * np.pi, 180)
    w = np.concatenate([scale * np.stack([np.cos(angles), np.sin(angles)]) for scale in (0.3, 1.0)], axis=1)
    losses = np.clip(1 - y[:, None] * (x @ w), 0, 1)
    found = []
    for labelled in itertools.combinations(range(n), m):
        rest = [i for i in range(n) if i not in labelled]
        found.append((losses[rest].mean(0) - losses[list(labelled)].mean(0)).max())
    bound = math.exp(float(log_complexity(np.ones(1), linear_weights(x), m, n - m)[0]))
    assert 0 < np.mean(found) <= bound
    # and the deviation holds over the same splits
    for c in (0.5, 1.0, 2.0):
        assert (np.array(found) > np.mean(found) + float(deviation(m, n - m, c))).mean() <= math.exp(-c)


def test_the_mean_over_all_splits_is_below_its_bound_with_a_hidden_layer() -> None:
    draws, n, m = np.random.default_rng(1), 8, 4
    s = np.abs(draws.normal(size=(n, n))) * (draws.random((n, n)) < 0.4)
    x, y = draws.normal(size=(n, 2)), draws.choice([-1.0, 1.0], n)
    weights = draws.normal(size=(2, 400))
    weights /= np.linalg.norm(weights, axis=0)
    scores = s @ np.maximum(s @ x @ weights, 0)  # one unit with |w| = 1, v = +1 or -1
    losses = np.clip(1 - y[:, None] * np.concatenate([scores, -scores], axis=1), 0, 1)
    found = []
    for labelled in itertools.combinations(range(n), m):
        rest = [i for i in range(n) if i not in labelled]
        found.append((losses[rest].mean(0) - losses[list(labelled)].mean(0)).max())
    kappa = np.full(1, 2 * math.sqrt(2))
    assert np.mean(found) <= math.exp(float(log_complexity(kappa, hidden_weights(s, s @ x), m, n - m)[0]))


def test_the_weights_of_a_hidden_layer_are_the_smaller_of_two_forms() -> None:
    draws = np.random.default_rng(2)
    s, a = draws.normal(size=(5, 5)), draws.normal(size=(5, 3))
    s[draws.random((5, 5)) < 0.5] = 0.0
    rows = (a**2).sum(1)
    whole = [(s[i] ** 2).sum() * rows.sum() for i in range(5)]
    local = [(s[i] != 0).sum() * sum(s[i, j] ** 2 * rows[j] for j in range(5)) for i in range(5)]
    assert hidden_weights(s, a) == pytest.approx(min(whole, local, key=sum))


def test_formulas_typed_again() -> None:
    shares = MarginShares(np.array([0.0, 2.0]), np.array([[0.1, 0.4]]), 100)
    value, margin = paired_upper(shares, np.log([0.3]), np.array([2.0]), 100, 300, math.log(0.05))
    each = []
    for level, share in ((0, 0.1), (2, 0.4)):
        spent = math.log(20) + 2 + math.log((math.pi**2 / 3 - 1) * (level + 1) ** 2)
        each.append(share + 0.3 / math.sqrt(2) ** level + (1 / 100 + 1 / 300) * math.sqrt(100 * spent / 2))
    assert value[0] == pytest.approx(min(each))
    assert margin[0] == pytest.approx((1.0, 2.0)[int(np.argmin(each))])
    counted = counting_upper(np.array([0.1]), 5.0, 100, 300, math.log(0.05))[0]
    assert counted == pytest.approx(0.1 + math.sqrt(10 / 100) + (1 / 100 + 1 / 300) * math.sqrt(100 * math.log(20) / 2))
