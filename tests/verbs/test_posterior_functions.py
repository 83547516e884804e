"""What a sampled posterior says beyond readings: against the closed forms of a Gaussian mean; and what is refused."""

import math
from dataclasses import replace

import numpy as np
import pytest
from tests.oracles.posterior_data import GaussianMean
from tests.verbs.test_sample_posterior import SAMPLES, conjugate

from heldout.records import Refusal
from heldout.verbs.posterior_functions import selection_of, weights_of


def exact_covariance() -> np.ndarray:
    """``Cov(l_i, l_j) = s a_i a_j + d s^2 / 2`` with ``a_i = x_i - E[w]`` and ``s = Var(w)``."""
    model = GaussianMean(SAMPLES, 1.0, 2.0)
    away = SAMPLES - model.centre
    return model.variance * away @ away.T + 1.5 * model.variance**2


def test_correlations_and_influences_of_a_gaussian_mean() -> None:
    """400 pairs within 8 of their errors, from 16 half chains: beyond with a chance below 400 * 9e-7."""
    exact = exact_covariance()
    (found,) = conjugate().correlations()
    assert (np.abs(found.covariance - exact) < 8 * found.covariance_error).all()
    assert found.correlation.shape == (20, 20)
    (across,) = conjugate().correlations("test")
    assert across.covariance == pytest.approx(
        found.covariance[:, :9], abs=1e-9
    )  # these test examples are the first nine
    ((influence, error),) = conjugate().influences()
    assert influence == pytest.approx(-across.covariance)
    assert error == pytest.approx(across.covariance_error)
    assert conjugate().influences("train")[0][0].shape == (20, 20)


def test_susceptibilities_of_a_part_that_is_the_whole() -> None:
    """Both definitions agree there: ``-Cov(L, l_x - L)``, within 8 of their errors."""
    posterior, asked = conjugate(), []
    again = lambda part, gammas: (asked.append((part, gammas)), posterior)[1]  # noqa: E731
    found, exact = replace(posterior, again=again).susceptibilities(["mean"]), exact_covariance()
    assert asked == [("mean", [2.0])]
    assert found.value.shape == (1, 1, 20)
    change = -(exact.mean(0) - exact.mean())
    assert (np.abs(found.value[0, 0] - change) < 8 * found.error[0, 0]).all()
    assert (np.abs(found.within[0, 0] - change) < 8 * found.within_error[0, 0]).all()


def test_weights_along_the_ladder() -> None:
    (found,) = conjugate().hypothesis_weight()
    assert abs(found.free_energy[-1] - 1.5 * math.log(11)) < 6 * found.free_energy_error[-1]
    assert abs(conjugate().readings["free-energy-multistate"].value[0] - found.free_energy[-1]) < 1e-9
    # K is s / (2 gamma) times a chi-square of 3 under the prior: half of it lies below the median 2.365974 / 4
    half = np.interp(2.365974 / 4, found.levels, found.log_weight)
    assert half == pytest.approx(math.log(0.5), abs=0.1)
    assert conjugate().readings["regret-bound"].value[0] > found.free_energy[-1]


def test_two_solutions_swap_where_they_should() -> None:
    posterior = conjugate()
    own = posterior.draws[0]
    simple = replace(own, centre_losses=own.centre_losses + 0.01)
    value = posterior.learning_coefficient
    two = replace(
        value, statuses=value.statuses * 2, reasons=value.reasons * 2, _value=np.array([5.0, 15.0]),
        _standard_error=np.array([0.1, 0.1]), _low=np.array([4.0, 14.0]), _high=np.array([6.0, 16.0]),
    )  # fmt: skip
    found = selection_of([simple, own], two, [9000.0, 9200.0], None)
    assert found.selection.winners.tolist() == [0, 1]
    (swap,) = found.swaps
    assert (swap["simple"], swap["complex"], round(swap["size"])) == (0, 1, 9118)
    assert (
        swap["low"] < swap["size"] < swap["high"]
    )  # every pair of losses differs alike: the coefficients' errors alone
    many = selection_of([simple, own], two, [9000.0], [1.0, 9.0])
    assert many.selection.winners.tolist() == [1]
    with pytest.raises(Refusal, match="3 multiplicities for 2 networks"):
        selection_of([simple, own], two, None, [1.0, 1.0, 1.0])
    lame = replace(two, _value=np.array([np.nan, 1.0]), reasons=("no minimum", ""))
    with pytest.raises(Refusal, match="no minimum"):
        selection_of([simple, own], lame, None, None)


def test_what_cannot_be_said_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    posterior = conjugate()
    own = posterior.draws[0]
    with pytest.raises(Refusal, match="at least two"):
        posterior.selection()
    with pytest.raises(Refusal, match="sizes were"):
        posterior.selection([1.0])
    with pytest.raises(Refusal, match="on was 'elsewhere'"):
        posterior.correlations("elsewhere")
    lost = replace(own, equilibrium=replace(own.equilibrium, converged=False, reason="the chains do not agree"))
    with pytest.raises(Refusal, match="the chains do not agree"):
        replace(posterior, draws=(lost,)).correlations()
    alone = replace(own, recorded=replace(own.recorded, test_losses=None))
    with pytest.raises(Refusal, match="no test data"):
        replace(posterior, draws=(alone,)).influences()
    with pytest.raises(Refusal, match="ladder=12"):
        replace(posterior, rungs=()).hypothesis_weight()
    monkeypatch.setattr("heldout.posterior.hypothesis_weight.LEAST_OVERLAP", 0.99)
    with pytest.raises(Refusal, match="ladder=16"):
        weights_of(posterior.rungs)
