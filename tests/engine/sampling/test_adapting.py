"""Step sizes: adapted ones reach the acceptance that is wanted, unadjusted ones the bias that is allowed."""

import math

import pytest
import torch
from tests.oracles.posteriors import NBETA, PRECISIONS, quadratic, quadratic_coefficient, target

from heldout.engine.sampling.adapting import BIAS, HARMONIC, DualAveraging, steps_a_draw, unadjusted_size


def one(value: float) -> torch.Tensor:
    return torch.tensor([value], dtype=torch.float64)


@pytest.mark.parametrize("first", [0.01, 3.0])
def test_dual_averaging_finds_the_step_of_a_known_curve(first: float) -> None:
    """Acceptance ``exp(-h^2)``: 0.8 at ``sqrt(ln 1.25) = 0.472``."""
    averaging = DualAveraging(one(first), 0.8)
    for _ in range(300):
        averaging.update((-averaging.size.square()).exp())
    assert float(averaging.settled) == pytest.approx(math.sqrt(math.log(1.25)), rel=0.1)


def test_an_unadjusted_step_adds_what_it_may() -> None:
    law, h = target(quadratic()), torch.tensor(PRECISIONS, dtype=torch.float64)
    exact = quadratic_coefficient(PRECISIONS, NBETA, 1.0)
    step = float(unadjusted_size("sgld", law, one(1.0), one(float(NBETA * h.sum())), one(exact), None))
    found = quadratic_coefficient(PRECISIONS, NBETA, 1.0, step)
    assert found / exact - 1 == pytest.approx(BIAS, rel=0.1)


def test_minibatches_make_it_smaller_and_stability_bounds_it() -> None:
    law = target(quadratic())
    arguments = law, one(10.0), one(100.0), one(2.0)
    assert float(unadjusted_size("sgld", *arguments, 2)) == pytest.approx(
        float(unadjusted_size("sgld", *arguments, None)) / (1 + NBETA / 2)
    )
    assert float(unadjusted_size("sgld", law, one(1e6), one(1e-3), one(2.0), None)) == pytest.approx(1e-6)
    assert float(unadjusted_size("sgnht", law, one(1e6), one(1e-3), one(2.0), None)) == pytest.approx(HARMONIC / 1e3)
    noisy = float(unadjusted_size("sgnht", *arguments, 2))
    assert noisy**2 == pytest.approx(BIAS / (100.0 / 8 / 2.0) / (NBETA / 2))


def test_draws_are_a_relaxation_time_apart() -> None:
    assert steps_a_draw("hmc", one(0.1), one(1.0)).tolist() == [1]
    assert steps_a_draw("sgld", one(0.01), one(0.5)).tolist() == [50]
    assert steps_a_draw("sgnht", one(0.1), one(4.0)).tolist() == [63]


def test_a_step_size_stays_below_its_bound() -> None:
    averaging = DualAveraging(torch.tensor([0.5], dtype=torch.float64), 0.8, torch.tensor([1.0], dtype=torch.float64))
    for _ in range(30):
        averaging.update(torch.tensor([1.0], dtype=torch.float64))
        assert float(averaging.size) <= 1.0
    assert float(averaging.settled) == pytest.approx(1.0, rel=1e-6)
