"""Accuracy on mixtures."""

import math

import pytest
import torch
from tests import cases

from heldout.catalog import find
from heldout.engine.evidence.mixing import MixupOutcomes
from heldout.engine.evidence.reading_units import read_measure
from heldout.engine.evidence.resolving import Evidence
from heldout.records import Status
from heldout.representation.mixup import label_wise_mixup


def test_only_examples_with_a_partner_count() -> None:
    outcomes = MixupOutcomes(torch.tensor([1.0, 0.0, 1.0, 1.0]), torch.tensor([1.0, 1.0, 1.0, 0.0]))
    found = label_wise_mixup(outcomes)
    assert found.value.item() == pytest.approx(2 / 3)
    assert found.standard_error.item() == pytest.approx(math.sqrt(2 / 3 * 1 / 3 / 3))


def test_classes_of_one_example_have_no_mixtures() -> None:
    case = cases.mlp()
    x, y = case.train
    reading = read_measure(find("label-wise-mixup"), Evidence(case.subject(train=(x[:3], y[:3]), test=None)))
    assert reading.statuses == (Status.UNDEFINED,)
    assert "two training examples" in reading.reasons[0]


def test_a_network_that_learnt_the_classes_beats_one_that_memorized() -> None:
    # Four networks each, on the same inputs and with seeds fixed: true labels give 1, random ones 0.77 to 0.83.
    readings = [
        read_measure(find("label-wise-mixup"), Evidence(cases.together([make(seed) for seed in range(4)]))).value
        for make in (cases.generalizer, cases.memorizer)
    ]
    assert readings[0].min() > readings[1].max() + 0.1


def test_not_applicable_to_tokens() -> None:
    reading = read_measure(find("label-wise-mixup"), Evidence(cases.token_transformer().subject()))
    assert reading.statuses == (Status.NOT_APPLICABLE,)
