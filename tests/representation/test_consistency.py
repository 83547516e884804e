"""Consistency under input noise."""

import math

import pytest
import torch
from tests import cases

from heldout.catalog import find
from heldout.engine.evidence.reading_units import read_measure
from heldout.engine.evidence.resolving import Evidence
from heldout.records import Status
from heldout.representation.consistency import input_noise_consistency


def test_share_and_binomial_error() -> None:
    found = input_noise_consistency(torch.tensor([1.0, 0.0, 1.0, 1.0, 1.0]))
    assert found.value.item() == pytest.approx(0.8)
    assert found.standard_error.item() == pytest.approx(math.sqrt(0.8 * 0.2 / 5))


def test_reading_is_the_share_of_kept_predictions() -> None:
    evidence = Evidence(cases.together([cases.memorizer(0), cases.memorizer(1)]))
    kept = evidence["noisy_predictions_kept"]
    reading = read_measure(find("input-noise-consistency"), evidence)
    assert reading.value.tolist() == pytest.approx(kept.mean(1).tolist())


def test_not_applicable_to_tokens() -> None:
    reading = read_measure(find("input-noise-consistency"), Evidence(cases.token_transformer().subject()))
    assert reading.statuses == (Status.NOT_APPLICABLE,)
