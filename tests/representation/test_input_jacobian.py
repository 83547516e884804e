"""Mean norm of Jacobians over the input."""

import pytest
import torch
from tests import cases

from heldout.catalog import find
from heldout.engine.evidence.reading_units import read_measure
from heldout.engine.evidence.resolving import Evidence
from heldout.representation.input_jacobian import input_jacobian_norm


def test_mean_and_standard_error() -> None:
    found = input_jacobian_norm(torch.tensor([1.0, 2.0, 6.0]))
    assert found.value.item() == pytest.approx(3.0)
    assert found.standard_error.item() == pytest.approx((7.0 / 3.0) ** 0.5)
    assert input_jacobian_norm(torch.tensor([2.0])).standard_error.isnan()


def test_a_regression_has_one_too() -> None:
    evidence = Evidence(cases.regression().subject())
    reading = read_measure(find("input-jacobian-norm"), evidence)
    assert reading.value[0] == pytest.approx(evidence["input_jacobian_norms"].mean().item())


def test_networks_that_memorize_are_more_sensitive() -> None:
    # Four networks each on the same inputs, seeds fixed: at most 0.0007 against 0.0025 and more.
    good, bad = (
        read_measure(find("input-jacobian-norm"), Evidence(cases.together([make(seed) for seed in range(4)]))).value
        for make in (cases.generalizer, cases.memorizer)
    )
    assert bad.min() > 2 * good.max()
