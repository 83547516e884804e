"""The two steps of a PAC-Bayes certificate: golden values of the digest, and refusals."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.oracles import held_out as oracle

from heldout.engine.posteriors.inequalities import monte_carlo_upper, pac_bayes_kl_upper
from heldout.records import Refusal

#: Dziugaite and Roy 2017: SNN training error, KL, published bound (digest, section 2.3).
PUBLISHED = [(0.028, 5144, 0.161), (0.027, 5977, 0.179), (0.027, 5791, 0.170), (0.028, 6534, 0.186), (0.027, 8558, 0.223),
             (0.025, 7861, 0.201)]  # fmt: skip


def test_golden_recursive_notebook() -> None:
    on_sample = monte_carlo_upper(0.3379667, 30_000, math.log(0.01))
    value = pac_bayes_kl_upper(on_sample, 80.83292, 30_000, math.log(0.025))
    assert float(value) == pytest.approx(0.38378037, abs=1e-7)
    uninformed = pac_bayes_kl_upper(
        monte_carlo_upper(0.3365, 60_000, math.log(0.01)), 0.0303723 * 60_000, 60_000, math.log(0.025)
    )
    assert float(uninformed) == pytest.approx(
        0.46425, abs=5e-5
    )  # a mean over repetitions, printed to four digits of risk


@pytest.mark.parametrize(("risk", "nats", "printed"), PUBLISHED)
def test_golden_dziugaite_and_roy(risk: float, nats: float, printed: float) -> None:
    on_sample = monte_carlo_upper(risk, 150_000, math.log(0.01))
    assert float(pac_bayes_kl_upper(on_sample, nats, 55_000, math.log(0.025))) == pytest.approx(printed, abs=0.004)


def test_golden_compression_repository() -> None:
    assert float(pac_bayes_kl_upper(0.289307, 1724, 30_000, math.log(0.05))) == pytest.approx(0.45516, abs=5e-6)


@pytest.mark.parametrize(("draws", "printed"), [(1000, 0.0379), (10_000, 0.0249), (150_000, 0.0212)])
def test_the_cost_of_few_draws(draws: int, printed: float) -> None:
    # The table was made with the two-sided ln(2/delta').
    assert float(monte_carlo_upper(0.02, draws, math.log(0.01 / 2))) == pytest.approx(printed, abs=6e-4)


@settings(max_examples=40, deadline=None)
@given(risk=st.floats(0, 0.9), nats=st.floats(0, 500), more=st.floats(0.1, 50), n=st.integers(8, 5000))
def test_orderings(risk: float, nats: float, more: float, n: int) -> None:
    value = float(pac_bayes_kl_upper(risk, nats, n, math.log(0.05)))
    b = nats + math.log(2 * math.sqrt(n) / 0.05)
    assert risk <= value <= min(1.0, risk + math.sqrt(b / (2 * n))) + 1e-11
    assert value <= float(pac_bayes_kl_upper(risk, nats + more, n, math.log(0.05)))
    assert value <= float(pac_bayes_kl_upper(risk, nats, n, math.log(0.01)))
    assert value >= float(pac_bayes_kl_upper(risk, nats, n + 100, math.log(0.05)))


def test_against_a_bisection() -> None:
    # The oracle solves kl(q, p) = ln(1/delta)/n: the divergence enters as a smaller delta.
    value = float(pac_bayes_kl_upper(0.1, 3.0, 200, math.log(0.05)))
    assert value == pytest.approx(oracle.kl(0.1, 200, 0.05 * math.exp(-3.0) / (2 * math.sqrt(200))), abs=1e-9)


def test_a_negative_log_ratio_counts_as_zero() -> None:
    zero = float(pac_bayes_kl_upper(0.1, 0.0, 100, math.log(0.05)))
    assert float(pac_bayes_kl_upper(0.1, -40.0, 100, math.log(0.05))) == zero


def test_too_few_draws_are_refused() -> None:
    monte_carlo_upper(0.0, 90, math.log(0.01))  # 1 - 0.01**(1/90) = 0.0499
    with pytest.raises(Refusal, match="the mean of 89 draws; expected at least 90 at this delta: draw more"):
        monte_carlo_upper(0.0, 89, math.log(0.01))


@pytest.mark.parametrize("nats", [math.inf, math.nan])
def test_an_infinite_divergence_is_refused(nats: float) -> None:
    with pytest.raises(Refusal, match="not finite; expected finite nats"):
        pac_bayes_kl_upper(0.1, nats, 100, math.log(0.05))


def test_a_bound_on_too_few_examples_is_refused() -> None:
    with pytest.raises(Refusal, match="the bound had 7 examples; expected at least 8"):
        pac_bayes_kl_upper(0.1, 0.0, 7, math.log(0.05))
