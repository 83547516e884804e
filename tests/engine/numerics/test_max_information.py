"""Max-information: an exact mechanism enumerated, the published forms above it, the cap."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from heldout.engine.numerics.max_information import max_information


@pytest.mark.parametrize(("epsilon", "n"), [(0.3, 40), (0.1, 400), (1.0, 12), (0.05, 1000)])
@pytest.mark.parametrize("beta", [0.2, 1e-2, 1e-6])
def test_never_exceeded_by_an_exact_mechanism(epsilon: float, n: int, beta: float) -> None:
    """The two-sided exponential mechanism on fair bits: P(A = 1 | k ones) is logistic, which one bit moves by epsilon at most."""
    k = np.arange(n + 1)
    chance = 1 / (1 + np.exp(-epsilon * (k - n / 2)))
    law = binom.pmf(k, n, 0.5)
    bound = max_information(epsilon, n, math.log(beta))
    passed = sum(float((law * p)[np.log(p / float(law @ p)) > bound].sum()) for p in (chance, 1 - chance))
    assert passed <= beta


def test_never_exceeded_where_every_bit_is_told_with_noise() -> None:
    """Randomised response, an answer a bit: independent ratios of epsilon each; 30 bits, enumerated by how many are true."""
    epsilon, n = 0.3, 30
    true = math.exp(epsilon) / (1 + math.exp(epsilon))
    told = np.arange(n + 1)  # how many of the answers are true; the answers alone are fair bits
    ratios = told * math.log(2 * true) + (n - told) * math.log(2 * (1 - true))
    law = binom.pmf(told, n, true)
    for beta in (0.3, 0.1, 1e-2, 1e-4, 1e-8):
        assert law[ratios > max_information(epsilon, n, math.log(beta))].sum() <= beta
    assert law[ratios > max_information(epsilon, n, math.log(0.1)) / 3].sum() > 0.1  # a third of it would not do


@given(st.floats(1e-4, 3.0), st.integers(1, 10**6), st.floats(1e-9, 0.5))
def test_at_most_what_is_published(epsilon: float, n: int, beta: float) -> None:
    found = max_information(epsilon, n, math.log(beta))
    dwork = n * epsilon**2 / 2 + epsilon * math.sqrt(n * math.log(2 / beta) / 2)
    assert found <= min(dwork, epsilon * n) * (1 + 1e-9)
    # Dziugaite and Roy's theorem has e^-2L for the event, L as here: then e^I e^-2L + delta/3 is at most delta
    delta = 3 * beta
    level = max(math.log(3 / delta), n * epsilon**2)
    assert max_information(epsilon, n, math.log(delta / 3)) <= level * (1 + 1e-9)
