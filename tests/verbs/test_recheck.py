"""Printed certificates computed again: published ones that hold, and those of public code that do not (digest, sections 2.3, 12)."""

import math

import pytest

from heldout.engine.numerics import binary_kl
from heldout.records import Refusal
from heldout.verbs.recheck import recheck

# Dziugaite and Roy 2017, Table 1, binary MNIST, 55,000 examples: training error, nats, printed bound
PUBLISHED = [
    (0.028, 5144, 0.161), (0.027, 5977, 0.179), (0.027, 5791, 0.170),
    (0.028, 6534, 0.186), (0.027, 8558, 0.223), (0.025, 7861, 0.201),
]  # fmt: skip


@pytest.mark.parametrize(("observed", "nats", "printed"), PUBLISHED)
def test_dziugaite_and_roy_s_table_to_the_rounding_of_its_risks(observed: float, nats: float, printed: float) -> None:
    found = recheck(printed, observed=observed, examples=55000, nats=nats, delta=0.025, draws=150000)
    assert found.value == pytest.approx(
        printed, abs=0.006
    )  # the error is printed with three decimals: 0.0005 moves it by 0.002


def test_the_value_solves_its_own_equation() -> None:
    found = recheck(0.5, observed=0.1, examples=4000, nats=200, delta=0.03, draws=500, draws_delta=0.02)
    assert binary_kl(0.1, found.gibbs_risk) == pytest.approx(math.log(50) / 500, rel=1e-9)
    budget = (200 + math.log(2 * math.sqrt(4000) / 0.03)) / 4000
    assert binary_kl(found.gibbs_risk, found.value) == pytest.approx(budget, rel=1e-9)
    assert found.verdict == "holds"
    code = recheck(0.01, observed=0.03, examples=60000, bits=4000 + 2 * math.log2(4000))
    assert code.verdict == "too small"
    assert code.value == pytest.approx(0.1125, abs=5e-5)  # digest, section 3
    assert recheck(0.03, observed=0.02, examples=10000).value == pytest.approx(0.0236, abs=5e-5)  # section 1: kl


@pytest.mark.parametrize(("claimed", "nats", "draws"), [(0.597, 2.85e6, 0)])
def test_a_bound_that_equals_its_training_error_is_vacuous(claimed: float, nats: float, draws: int) -> None:
    assert recheck(claimed, observed=claimed, examples=1000, nats=nats, draws=draws).verdict == "vacuous"


def test_a_kl_inverted_at_the_monte_carlo_excess_is_found_out() -> None:
    # the slip of a public rerun: the risk is left out and only its excess over the mean enters the inversion
    observed, draws, nats = 0.028, 200, 5144.0
    excess = recheck(1.0, observed=observed, examples=55000, nats=nats, delta=0.025, draws=draws).gibbs_risk - observed
    claimed = recheck(1.0, observed=excess, examples=55000, nats=nats, delta=0.025).value
    assert (
        recheck(claimed, observed=observed, examples=55000, nats=nats, delta=0.025, draws=draws).verdict == "too small"
    )


@pytest.mark.parametrize(
    ("wrong", "said"),
    [({"claimed": 16.1}, "claimed was 16.1"), ({"delta": 0.0}, "delta was 0"), ({"examples": 3}, "examples was 3"),
     ({"nats": 3.0, "bits": 4.0}, "nats or bits"), ({"draws": -1}, "none below 0"), ({"draws_delta": 1.0}, "draws_delta was 1")],
)  # fmt: skip
def test_what_is_no_certificate_is_refused(wrong: dict[str, float], said: str) -> None:
    settings = {"claimed": 0.1, "observed": 0.02, "examples": 1000, "delta": 0.05} | wrong
    with pytest.raises(Refusal, match=said):
        recheck(**settings)  # type: ignore[arg-type]
