"""Label sharpness on points whose distances are known, its percentile and the interval of order statistics."""

import numpy as np
import pytest
import torch
from torch import nn

from heldout.catalog import find
from heldout.engine.evidence.reading_units import read_measure
from heldout.engine.evidence.resolving import Evidence
from heldout.engine.subject import Subject
from heldout.measures.label_sharpness import label_sharpness, label_sharpness_percentile
from heldout.records import Status


def read(name: str, x: list[float], y: list[int]) -> tuple[Status, float]:
    subject = Subject(nn.Linear(1, 2), train=(torch.tensor(x).reshape(-1, 1), torch.tensor(y)))
    reading = read_measure(find(name), Evidence(subject))
    return reading.statuses[0], float(np.ma.filled(reading.value, np.nan)[0])


def test_sharper_where_classes_meet() -> None:
    assert read("label-sharpness", [0.0, 1.0, 5.0, 7.0], [0, 0, 1, 1])[1] == pytest.approx(1 / 4)
    assert read("label-sharpness", [0.0, 4.5, 5.0, 7.0], [0, 0, 1, 1])[1] == pytest.approx(2.0)
    # the published code compares like labels, for which these two sets are the same
    assert read("label-sharpness", [0.0, 1.0, 5.0, 7.0], [0, 1, 0, 1])[1] == pytest.approx(1.0)


def test_one_class_is_flat_and_a_contradiction_has_no_number() -> None:
    assert read("label-sharpness", [0.0, 1.0], [1, 1]) == (Status.OK, 0.0)
    for name in ("label-sharpness", "label-sharpness-percentile"):
        assert read(name, [3.0, 3.0], [0, 1])[0] is Status.UNDEFINED


def test_a_regression_divides_distances_of_targets() -> None:
    x, y = torch.tensor([[0.0], [2.0], [3.0]]), torch.tensor([[0.0, 0.0], [3.0, 4.0], [3.0, 4.0]])
    subject = Subject(nn.Linear(1, 2), train=(x, y), loss="squared-error")
    assert read_measure(find("label-sharpness"), Evidence(subject)).value[0] == pytest.approx(2.5)


@pytest.mark.parametrize("percentile", [50.0, 90.0, 99.0])
def test_percentiles_are_numpys(percentile: float) -> None:
    slopes = torch.rand(77, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    found = label_sharpness_percentile(slopes, percentile=percentile)
    assert found.value.item() == pytest.approx(np.percentile(slopes.numpy(), percentile), rel=1e-12)


def test_one_wrong_label_moves_the_maximum_and_not_the_percentile() -> None:
    slopes = torch.rand(100, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    wrong = torch.cat([slopes[1:], torch.tensor([1e6], dtype=torch.float64)])
    assert label_sharpness(wrong).item() == 1e6
    assert label_sharpness_percentile(wrong).value.item() == pytest.approx(
        label_sharpness_percentile(slopes).value.item(), abs=0.05
    )


def test_the_interval_covers_the_percentile_of_the_law() -> None:
    draws = torch.rand(2000, 120, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    found = torch.vmap(label_sharpness_percentile)(draws)
    covered = ((found.low <= 0.9) & (found.high >= 0.9)).double().mean().item()
    # at least 95 %, and conservative by what a binomial jumps; 2000 draws know it to half a percent
    assert 0.95 - 5 * 0.0049 < covered < 0.995


def test_few_examples_have_no_interval_at_the_top() -> None:
    found = label_sharpness_percentile(torch.arange(5.0), percentile=99.0)
    assert found.value.item() == pytest.approx(3.96)
    assert found.high.isnan()
