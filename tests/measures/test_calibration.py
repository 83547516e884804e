"""Calibration against loops over bins."""

import math

import pytest
import torch
from tests import cases
from tests.oracles import outputs as oracle

from heldout.catalog import find
from heldout.engine.evidence.reading_units import read_measure, read_profile
from heldout.engine.evidence.resolving import Evidence
from heldout.measures.calibration import brier_score, expected_calibration_error, reliability
from heldout.records import Status


@pytest.mark.parametrize("name", ["mlp", "cnn", "transformer"])
def test_calibration_on_networks(name: str) -> None:
    case = cases.ALL[name]()
    x, y = case.test
    logits, evidence = oracle.outputs(case.network, x), Evidence(case.subject())
    error = oracle.expected_calibration_error(logits, y, 15)
    assert read_measure(find("expected-calibration-error"), evidence).value.item() == pytest.approx(error, rel=1e-5)
    scores = oracle.brier_scores(logits, y)
    reading = read_measure(find("brier-score"), evidence)
    assert reading.value.item() == pytest.approx(scores.mean(), rel=1e-5)
    assert reading.standard_error.item() == pytest.approx(scores.std(ddof=1) / math.sqrt(len(y)), rel=1e-5)
    rows = read_profile(find("reliability"), evidence).rows
    for row, (count, confidence, accuracy) in zip(rows, oracle.calibration_table(logits, y, 15), strict=True):
        assert row["examples"] == count
        if count:
            assert (row["confidence"], row["accuracy"]) == pytest.approx((confidence, accuracy), rel=1e-5)
        else:
            assert (row["confidence"], row["accuracy"]) == (None, None)


@pytest.mark.parametrize("bins", [1, 4, 10])
def test_other_numbers_of_bins(bins: int) -> None:
    generator = torch.Generator().manual_seed(0)
    logits = 2 * torch.randn(200, 5, generator=generator, dtype=torch.float64)
    labels = torch.randint(5, (200,), generator=generator)
    expected = oracle.expected_calibration_error(logits.numpy(), labels, bins)
    assert expected_calibration_error(logits, labels, bins=bins).item() == pytest.approx(expected, rel=1e-9)
    table = reliability(logits.unsqueeze(0), labels.unsqueeze(0), bins=bins)
    assert table["examples"].tolist() == [row[0] for row in oracle.calibration_table(logits.numpy(), labels, bins)]
    assert table["bin"].tolist() == list(range(bins))


def test_bins_are_closed_on_the_right() -> None:
    table = reliability(torch.zeros(1, 3, 2), torch.zeros(1, 3, dtype=torch.long), bins=4)  # confidence exactly 1/2
    assert table["examples"].tolist() == [0, 3, 0, 0]
    table = reliability(torch.tensor([[[9e9, 0.0]]]), torch.zeros(1, 1, dtype=torch.long), bins=4)  # exactly 1
    assert table["examples"].tolist() == [0, 0, 0, 1]


def test_probabilities_that_are_true_frequencies_have_no_error() -> None:
    logits = torch.tensor([[math.log(3.0), 0.0]], dtype=torch.float64).expand(4, 2)
    assert expected_calibration_error(logits, torch.tensor([0, 0, 0, 1])).item() == pytest.approx(0.0, abs=1e-12)
    assert expected_calibration_error(logits, torch.tensor([1, 1, 1, 1])).item() == pytest.approx(0.75)


def test_the_worst_brier_score_is_2() -> None:
    assert brier_score(torch.tensor([[1e3, 0.0]]), torch.tensor([1])).value.item() == 2.0
    assert brier_score(torch.tensor([[1e3, 0.0]]), torch.tensor([0])).value.item() == 0.0


def test_not_applicable_to_a_regression_or_without_test_data() -> None:
    for subject in (cases.regression().subject(), cases.mlp().subject(test=None)):
        for name in ("expected-calibration-error", "brier-score"):
            assert read_measure(find(name), Evidence(subject)).statuses == (Status.NOT_APPLICABLE,)
        assert read_profile(find("reliability"), Evidence(subject)).rows == ()
