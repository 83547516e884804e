"""Internal model selection: the digest's worked example, and orderings."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit

from heldout.posterior.internal_selection import critical_size, internal_selection


def test_the_worked_example() -> None:
    """A coefficient of 10 more for a loss of 0.01 less: ``n / ln n = 1000`` at 9118."""
    found = critical_size(0.01, 10.0)
    assert round(found.size) == 9118
    assert found.low == pytest.approx(found.size)
    assert found.high == pytest.approx(found.size)


@given(st.floats(1e-6, 1.0), st.floats(0.1, 1e3))
def test_it_solves_its_equation(loss_gap: float, coefficient_gap: float) -> None:
    size = critical_size(loss_gap, coefficient_gap).size
    if coefficient_gap / loss_gap <= math.e:
        assert math.isnan(size)
    else:
        assert size / math.log(size) == pytest.approx(coefficient_gap / loss_gap, rel=1e-9)
        assert size >= math.e  # of the two roots the one above, where the better fit takes over for good


@pytest.mark.parametrize("gaps", [(0.0, 1.0), (-0.1, 1.0), (0.1, 0.0), (0.1, -1.0), (1.0, 2.0)])
def test_where_one_is_better_in_both_they_never_swap(gaps: tuple[float, float]) -> None:
    assert np.isnan(critical_size(*gaps)).all()


def test_the_interval_is_that_of_gaps_that_vary() -> None:
    """Gaussian gaps pushed through: the 2.5 % and 97.5 % quantiles, to the first order's accuracy."""
    generator = np.random.default_rng(0)
    found = critical_size(0.01, 10.0, loss_error=2e-4, coefficient_error=0.3)
    drawn = [critical_size(a, b).size for a, b in generator.normal((0.01, 10.0), (2e-4, 0.3), size=(2000, 2))]
    assert np.quantile(drawn, [0.025, 0.975]) == pytest.approx([found.low, found.high], rel=0.02)
    assert critical_size(0.01, 10.0, loss_error=2e-4).low > found.low
    assert critical_size(0.01, 10.0, coefficient_error=0.3).low > found.low


def test_free_energies_errors_and_shares() -> None:
    sizes = np.array([10.0, 9000.0, 9200.0, 1e6])
    found = internal_selection(
        np.array([0.11, 0.10]), np.array([5.0, 15.0]), sizes, coefficient_errors=np.array([0.1, 0.2])
    )
    assert found.free_energies[1] == pytest.approx(0.10 * sizes + 15 * np.log(sizes))
    assert found.errors[1] == pytest.approx(0.2 * np.log(sizes))
    assert found.winners.tolist() == [0, 0, 1, 1]
    assert found.shares[1] == pytest.approx(expit(found.free_energies[0] - found.free_energies[1]))
    assert found.shares.sum(0) == pytest.approx(1.0)


def test_a_multiplicity_makes_a_solution_cheaper() -> None:
    sizes = np.array([1000.0])
    found = internal_selection(np.ones(2), np.ones(2), sizes, multiplicities=np.array([1.0, 3.0]))
    assert found.free_energies[0, 0] - found.free_energies[1, 0] == pytest.approx(2 * math.log(math.log(1000)))
