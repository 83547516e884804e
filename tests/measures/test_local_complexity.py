"""Local complexity: the mean of its counts, on an MLP and a network with batch norm."""

import pytest
import torch
from tests import cases

from heldout.catalog import find
from heldout.engine.evidence.reading_units import read_measure
from heldout.engine.evidence.resolving import Evidence
from heldout.measures.local_complexity import local_complexity
from heldout.records import Status


@pytest.mark.parametrize("case", [cases.mlp(), cases.cnn()], ids=lambda case: case.name)
def test_it_is_the_mean_with_its_standard_error(case: cases.Case) -> None:
    evidence = Evidence(case.subject())
    counts = evidence["local_complexities"][0]
    reading = read_measure(find("local-complexity"), evidence)
    assert float(reading.value[0]) == pytest.approx(float(counts.mean()))
    assert float(reading.standard_error[0]) == pytest.approx(float(counts.std()) / len(counts) ** 0.5)


def test_one_point_has_no_standard_error() -> None:
    found = local_complexity(torch.tensor([2.0], dtype=torch.float64))
    assert found.value == 2
    assert found.standard_error.isnan()


def test_a_network_without_relu_modules_says_so() -> None:
    reading = read_measure(find("local-complexity"), Evidence(cases.linear().subject()))
    assert reading.statuses[0] is Status.NOT_APPLICABLE
    assert "no ReLU module" in reading.reasons[0]
