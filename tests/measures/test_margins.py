"""Margins against NumPy's quantiles, and the trap of the squared negative margin."""

import numpy as np
import pytest
import torch
from tests import cases
from tests.oracles import outputs as oracle

from heldout.catalog import find
from heldout.engine.evidence.reading_units import read_measure, read_profile
from heldout.engine.evidence.resolving import Evidence
from heldout.measures.margins import QUANTILES, margin_distribution, margin_median
from heldout.records import Status


@pytest.mark.parametrize("name", ["mlp", "cnn", "transformer"])
def test_margin_readings_on_networks(name: str) -> None:
    case = cases.ALL[name]()
    x, y = case.train
    expected = oracle.margins(oracle.outputs(case.network, x), y)
    evidence = Evidence(case.subject())
    gamma = np.quantile(expected, 0.1)
    assert read_measure(find("margin-p10"), evidence).value.item() == pytest.approx(gamma, rel=1e-5)
    assert read_measure(find("margin-median"), evidence).value.item() == pytest.approx(np.median(expected), rel=1e-5)
    inverse = read_measure(find("inverse-margin"), evidence)
    if gamma > 0:
        assert inverse.value.item() == pytest.approx(gamma**-2, rel=3e-5)
    else:
        assert inverse.statuses == (Status.UNDEFINED,)
    table = read_profile(find("margin-distribution"), evidence)
    assert [row["quantile"] for row in table.rows] == list(QUANTILES)
    assert [row["margin"] for row in table.rows] == pytest.approx(np.quantile(expected, QUANTILES).tolist(), rel=1e-5)


def test_a_negative_margin_is_never_squared() -> None:
    case = cases.mlp()
    x, y = case.train
    evidence = Evidence(case.subject(train=(x, (y + 1) % cases.CLASSES)))
    assert read_measure(find("margin-p10"), evidence).value.item() < 0
    reading = read_measure(find("inverse-margin"), evidence)
    assert reading.statuses == (Status.UNDEFINED,)
    assert reading.rows()[0]["value"] is None
    assert "not positive" in reading.reasons[0]


def test_one_member_without_a_margin_leaves_the_others_theirs() -> None:
    fitted, fresh = cases.generalizer(), cases.generalizer(1)
    evidence = Evidence(fitted.subject(network=[fitted.network, fresh.initial], initial=None))
    reading = read_measure(find("inverse-margin"), evidence)
    assert reading.statuses == (Status.OK, Status.UNDEFINED)


def test_median_of_odd_and_even_numbers() -> None:
    assert margin_median(torch.tensor([4.0, 0.0, 1.0])).item() == 1.0
    assert margin_median(torch.tensor([4.0])).item() == 4.0
    assert margin_median(torch.tensor([4.0, 0.0])).item() == 2.0


def test_distribution_has_one_block_a_member() -> None:
    margins = torch.tensor([[0.0, 10.0, 20.0], [5.0, 5.0, 5.0]])
    table = margin_distribution(margins)
    assert table["member"].tolist() == [0] * len(QUANTILES) + [1] * len(QUANTILES)
    assert table["margin"].tolist() == pytest.approx([*(20.0 * np.array(QUANTILES)), *[5.0] * len(QUANTILES)])
