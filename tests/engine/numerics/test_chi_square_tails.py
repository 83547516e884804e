"""The fitted tail against the law that it fits, its standard error over samples, and the incomplete gamma where it underflows."""

import math

import numpy as np
import pytest
from scipy.stats import chi2

from heldout.engine.numerics.chi_square_tails import fitted_tail, log_gamma_cdf
from heldout.records import Refusal


def test_mean_and_variance_are_those_of_the_law() -> None:
    losses = np.array([0.4, 1.1, 0.7, 2.0, 0.9])
    mean, variance = losses.mean(), losses.var(ddof=1)
    degrees = 2 * mean**2 / variance
    found = fitted_tail(losses, 0.2)
    assert found.nats == pytest.approx(-chi2.logcdf(0.2 * degrees / mean, degrees), rel=1e-9)
    assert found.degrees == pytest.approx(degrees)
    assert found.seen == pytest.approx(math.log(5))
    without = np.array([fitted_tail(np.delete(losses, i), 0.2).nats for i in range(5)])
    assert found.standard_error == pytest.approx(math.sqrt(4 / 5 * np.square(without - without.mean()).sum()))


def test_the_truth_lies_within_the_errors_said() -> None:
    degrees, target = 20, 0.3
    truth = -chi2.logcdf(target * degrees, degrees)
    assert truth > 6  # 200 draws see to 5.3
    generator = np.random.default_rng(0)
    found = [fitted_tail(generator.chisquare(degrees, 200) / degrees, target) for _ in range(60)]
    values, errors = (np.array(column) for column in ([f.nats for f in found], [f.standard_error for f in found]))
    assert abs(values.mean() - truth) < 0.3 + 5 * values.std() / 60**0.5
    assert 0.6 < np.sqrt(np.square(errors).mean()) / values.std() < 1.7


@pytest.mark.parametrize(("shape", "x"), [(1.0, 1e-300), (3.0, 1e-120), (1000.0, 0.5), (2.5, 4.0)])
def test_the_incomplete_gamma_function_by_its_series(shape: float, x: float) -> None:
    terms, term = 0.0, 1.0
    for k in range(1, 200):
        terms += term
        term *= x / (shape + k)
    expected = shape * math.log(x) - x - math.lgamma(shape + 1) + math.log(terms)
    assert log_gamma_cdf(shape, x) == pytest.approx(expected, rel=1e-10)


def test_what_has_no_tail_is_refused() -> None:
    for losses in ([1.0, 2.0, 3.0], [1.0] * 9, [1.0, 2.0, 3.0, -1.0]):
        with pytest.raises(Refusal, match="at least 4 that differ"):
            fitted_tail(losses, 0.5)
    with pytest.raises(Refusal, match=r"target was 0"):
        fitted_tail([1.0, 2.0, 3.0, 4.0], 0.0)
