"""Leave-one-out information: against the entropy of the whole joint law, its bias, and its two ends."""

import itertools
import math

import numpy as np
import pytest

from heldout.engine.numerics.leave_one_out import (
    binary_divergence,
    exchangeable_information,
    gap_of,
    pattern_entropy,
)
from heldout.records import Refusal


def information_by_enumeration(points: int, seen: float, hidden: float) -> tuple[float, float]:
    """I(L; U) of independent errors, by the sum over all 2^points patterns, and the expected gap."""
    total = 0.0
    for pattern in itertools.product((0, 1), repeat=points):
        given = [
            math.prod(
                (hidden if one else 1 - hidden) if i == u else (seen if one else 1 - seen)
                for i, one in enumerate(pattern)
            )
            for u in range(points)
        ]
        mean = sum(given) / points
        total += sum(g / points * math.log(g / mean) for g in given if g > 0)
    return total, hidden - seen


@pytest.mark.parametrize(("seen", "hidden"), [(0.1, 0.4), (0.0, 0.3), (0.2, 0.2), (0.3, 0.9)])
def test_the_divergences_by_total_are_the_information(seen: float, hidden: float) -> None:
    points = 7
    rows, weights = [], []
    for others in range(points):
        for own in (0, 1):
            chance = math.comb(points - 1, others) * seen**others * (1 - seen) ** (points - 1 - others)
            rows.append((own, own + others))
            weights.append(chance * (hidden if own else 1 - hidden))
    counts = np.round(np.array(weights) * 200_000).astype(int)
    wrong, totals = (np.repeat([row[k] for row in rows], counts) for k in (0, 1))
    plain, corrected = exchangeable_information(wrong, totals, points)
    exact, gap = information_by_enumeration(points, seen, hidden)
    assert plain == pytest.approx(exact, abs=2e-4)
    assert corrected == pytest.approx(exact, abs=2e-4)
    assert gap <= gap_of(exact, points - 1) + 1e-12


def test_the_correction_takes_most_of_the_bias() -> None:
    generator, points, draws = np.random.default_rng(1), 12, 60
    found = []
    for _ in range(2000):
        errors = generator.random((draws, points)) < 0.3
        found.append(exchangeable_information(errors[:, 0], errors.sum(1), points))  # nothing is there
    plain, corrected = np.mean(found, axis=0)
    assert plain > 0.04
    assert abs(corrected) < plain / 4


def test_where_nothing_seen_is_wrong_the_correction_is_small() -> None:
    wrong = np.array([1] * 30 + [0] * 70)
    plain, corrected = exchangeable_information(wrong, wrong, 100)
    assert plain == pytest.approx(0.3 * math.log(100))
    assert plain - corrected < 0.02


def test_an_entropy_is_that_of_distinct_rows() -> None:
    errors = np.eye(10, dtype=np.int64) * (np.arange(10) < 4)[:, None]
    assert pattern_entropy(errors) == pytest.approx(0.4 * math.log(10) - 0.6 * math.log(0.6))
    assert pattern_entropy(np.zeros((5, 3), dtype=np.int64)) == 0.0


def test_the_ends() -> None:
    assert gap_of(0.5, 4) == pytest.approx(1.25 * 0.5)
    assert gap_of(-0.1, 4) == 0.0
    assert binary_divergence([0.0, 1.0, 0.25], [0.0, 1.0, 0.25]).tolist() == [0.0, 0.0, 0.0]
    assert binary_divergence(0.0, 0.75) == pytest.approx(math.log(4))
    with pytest.raises(Refusal, match="seen was 0"):
        gap_of(0.1, 0)
