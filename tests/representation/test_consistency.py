"""Consistency under input noise."""

import math

import pytest
import torch
from tests import cases

from heldout.catalog import find
from heldout.engine.evidence.reading_units import read_measure, read_profile
from heldout.engine.evidence.resolving import Evidence
from heldout.engine.evidence.transformed import Transformed
from heldout.records import Status
from heldout.representation.consistency import augmentation_penalty, input_noise_consistency, transform_consistency


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


#: The published costs, typed from the entry's code.
COSTS = {"mirror": 6, "saturation": 1, "crop": 2, "edges": 3, "brightness": 1, "mirror-saturation": 12, "erase": 2}


def test_the_published_costs_one_by_one() -> None:
    names = tuple(COSTS)
    kept = 1.0 - torch.eye(7, dtype=torch.float64)  # picture i changes its prediction under change i alone
    moved = torch.full((7, 7), 0.25)
    found = augmentation_penalty(Transformed(names, kept, moved))
    each = [cost + 6 * 0.25 for cost in COSTS.values()]
    assert found.value.item() == pytest.approx(sum(each) / 7)
    spread = torch.tensor(each, dtype=torch.float64).std().item()
    assert found.standard_error.item() == pytest.approx(spread / math.sqrt(7))
    everything = augmentation_penalty(Transformed(names, torch.zeros(2, 7), torch.zeros(2, 7)))
    assert everything.value.item() == find("augmentation-penalty").fields["range"][1] == 27


def test_readings_are_means_over_pictures_and_changes() -> None:
    evidence = Evidence(cases.together([cases.cnn(0), cases.cnn(1)]))
    names, kept, moved = evidence["transformed_predictions"]
    assert names == tuple(COSTS)
    penalty = [
        sum(
            float(moved[m, i, t]) if kept[m, i, t] else cost for i in range(60) for t, cost in enumerate(COSTS.values())
        )
        for m in (0, 1)
    ]
    reading = read_measure(find("augmentation-penalty"), evidence)
    assert reading.value.tolist() == pytest.approx([total / 60 for total in penalty], rel=1e-9)
    share = read_measure(find("transform-consistency"), evidence)
    assert share.value.tolist() == pytest.approx(kept.mean((1, 2)).tolist())
    rows = read_profile(find("consistency-by-transform"), evidence).rows
    assert [row["transform"] for row in rows] == list(names) * 2
    assert [row["kept"] for row in rows] == pytest.approx(kept.mean(1).flatten().tolist())


def test_signals_have_a_share_but_no_penalty() -> None:
    evidence = Evidence(cases.transformer().subject())
    assert read_measure(find("transform-consistency"), evidence).ok
    assert read_measure(find("augmentation-penalty"), evidence).statuses == (Status.NOT_APPLICABLE,)


def test_nan_is_not_swallowed_and_one_example_has_no_error() -> None:
    nothing = torch.full((3, 2), float("nan"))
    assert transform_consistency(Transformed(("mirror", "edges"), nothing, nothing)).value.isnan()
    assert augmentation_penalty(Transformed(("mirror", "edges"), nothing, nothing)).value.isnan()
    assert transform_consistency(Transformed(("mirror",), torch.ones(1, 1), torch.ones(1, 1))).standard_error.isnan()
