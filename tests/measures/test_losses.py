"""Negative entropy against a sum in float64."""

import math

import pytest
import torch
from tests import cases
from tests.oracles import outputs as oracle

from heldout.catalog import find
from heldout.engine.evidence.reading_units import read_measure
from heldout.engine.evidence.resolving import Evidence
from heldout.measures.losses import neg_entropy


@pytest.mark.parametrize("name", ["mlp", "cnn", "transformer"])
def test_neg_entropy_on_networks(name: str) -> None:
    case = cases.ALL[name]()
    expected = oracle.neg_entropy(oracle.outputs(case.network, case.train[0]))
    assert read_measure(find("neg-entropy"), Evidence(case.subject())).value.item() == pytest.approx(expected, rel=1e-5)


def test_neg_entropy_of_certain_and_of_uniform_predictions() -> None:
    assert neg_entropy(torch.tensor([[1e30, 0.0], [0.0, 5e3]], dtype=torch.float64)).item() == 0.0
    assert neg_entropy(torch.full((2, 7), 3.0)).item() == pytest.approx(-math.log(7), rel=1e-12)
    assert neg_entropy(torch.tensor([[0.0, float("-inf")]], dtype=torch.float64)).item() == 0.0
