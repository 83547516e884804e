"""Coefficients of many networks: the quadratic law's, one a centre in its order, and the reasons for which there is none."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from tests.oracles import posteriors as oracle

from heldout.engine.sampling import Settings, sample
from heldout.engine.sampling.coefficients import above_minimum, automatic_localisations, coefficient_of, coefficients

QUICK = Settings(chains=4, draws=60, precision=0.1)
ONES = torch.ones(3, dtype=torch.float64)


def test_every_centre_has_its_coefficient_and_seeds_their_own_noise() -> None:
    """Five deviations; the first and the last centre share a seed, and so their noise."""
    found = coefficients(
        oracle.quadratic(members=3), QUICK, nbeta=oracle.NBETA, localisations=ONES, seeds=[0, 1, 0]
    )  # fmt: skip
    exact = oracle.quadratic_coefficient(oracle.PRECISIONS, oracle.NBETA, 1.0)
    for own in found:
        assert own.status == "ok", own.reason
        assert abs(own.value - exact) < 5 * own.standard_error
        assert own.quadratic == pytest.approx(exact)
    assert found[0] == found[2]
    assert found[0].value != found[1].value


def test_what_has_not_converged_and_what_is_no_minimum_has_no_number() -> None:
    target = oracle.target(oracle.quadratic())
    (own,) = sample(target, QUICK)
    lost = replace(own, equilibrium=replace(own.equilibrium, converged=False, reason="the chains do not agree"))
    none = coefficient_of(lost)
    assert (none.status, none.reason) == ("not-converged", "the chains do not agree")
    assert np.isnan([none.value, none.standard_error, none.heat_capacity]).all()
    assert none.quadratic == own.effective
    high = replace(own, centre_losses=own.centre_losses + 1.0)
    refused = coefficient_of(high)
    assert refused.status == "no-minimum"
    assert "left the basin" in refused.reason  # though the centre is a minimum of its own
    assert np.isnan(refused.value)
    assert refused.heat_capacity > 0
    assert "above the minimum beside it" in above_minimum(replace(own, deficit=50.0), 2.0, 0.1)
    assert above_minimum(own, 2.0, 0.1) == ""


def test_the_automatic_gaussian_is_as_wide_as_the_weights() -> None:
    squares = torch.tensor([0.0, 4.0], dtype=torch.float64)
    assert automatic_localisations(squares, 8).tolist() == [1.0, 2.0]
