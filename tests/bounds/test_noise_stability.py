"""The correlate of noise stability: the formula again, what moves it, real networks."""

import math

import numpy as np
import pytest
from tests import cases

import heldout
from heldout.bounds.noise_stability import noise_stability_margin
from heldout.engine.evidence.noise_stability import NoiseStability
from heldout.engine.numerics.margin_bounds import MarginShares
from heldout.records import Bounded, Status


def said(**changes: np.ndarray) -> Bounded:
    known = {
        "layer_cushions": np.array([[0.2, 0.5]]), "interlayer_cushions": np.array([[0.1, 0.4]]), "contraction": np.array([1.5]),
        "smoothness": np.array([7.0]), "largest_output": np.array([3.0]),
    } | changes  # fmt: skip
    shares = MarginShares(np.array([0.0, 2.0, 4.0, 20.0]), np.array([[0.1, 0.3, 0.6, 1.0]]), 10_000)
    return noise_stability_margin(NoiseStability(**known, examples=50), shares, log_delta=-3.0)


def test_the_formula_again() -> None:
    total = 1 / (0.2 * 0.1) ** 2 + 1 / (0.5 * 0.4) ** 2
    at_one = (1.5 * 2 * 3.0) ** 2 * total
    values = [share + math.sqrt(at_one / gamma**2 / 10_000) for gamma, share in ((1, 0.1), (2, 0.3), (4, 0.6))]
    found = said()
    assert found.value[0] == pytest.approx(min(values))  # the margin of 1024, beyond all, is left out
    assert found.terms["numbers needed at the median margin"][0] == pytest.approx(at_one / 16)
    assert found.terms["log10 of that"][0] == pytest.approx(math.log10(at_one / 16))
    assert found.terms["smoothness that the theorem demands"][0] == 6
    assert found.steps == ()


@pytest.mark.parametrize(
    ("name", "worse"),
    [
        ("layer_cushions", 0.5), ("interlayer_cushions", 0.5), ("contraction", 2.0), ("largest_output", 2.0),
    ],
)  # fmt: skip
def test_what_makes_it_larger(name: str, worse: float) -> None:
    given = {"layer_cushions": np.array([[0.2, 0.5]]), "interlayer_cushions": np.array([[0.1, 0.4]]),
             "contraction": np.array([1.5]), "largest_output": np.array([3.0])}  # fmt: skip
    assert said(**{name: given[name] * worse}).value[0] > said().value[0]


def test_a_dead_layer_needs_more_numbers_than_there_are() -> None:
    found = said(layer_cushions=np.zeros((1, 2)))
    assert np.isfinite(found.value).all()
    assert found.value[0] > 1e100


def test_random_labels_need_more_than_true_ones() -> None:
    numbers = []
    for case in (cases.generalizer(), cases.memorizer()):
        (one,) = [c for c in heldout.certify(case.subject(), families=["norm"]) if c.name == "noise-stability-margin"]
        assert (one.status, one.delta, one.ledger) == (Status.CORRELATE, 0.0, ())
        numbers.append(one.terms["log10 of that"])
    assert numbers[0] < numbers[1]
