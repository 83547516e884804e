"""Sharpness by batch size: re-scaling keeps functions, sharpness against a search by hand, statistics, the smoke run."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

import heldout
from heldout.engine.population import Population
from heldout.records import Refusal
from heldout.studies import sharpness_by_batch_size as study

SETTINGS: dict[str, Any] = {"train_size": 80, "width": 6, "steps": 30, "members": 2}


def test_rescaled_networks_compute_the_same() -> None:
    population = Population.of(lambda: nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 3)).double(), 3, seed=1)
    moved = study.rescaled(population, [10.0, 0.2, 1.0])
    x = torch.randn(9, 4).double()
    torch.testing.assert_close(moved(x), population(x))
    assert torch.allclose(moved.parameters["0.weight"][1], 0.2 * population.parameters["0.weight"][1])
    assert torch.equal(moved.parameters["2.bias"], population.parameters["2.bias"])


def test_one_layer_cannot_be_rescaled() -> None:
    with pytest.raises(Refusal, match="layer"):
        study.rescaled(Population.of(lambda: nn.Linear(4, 3), 1), [2.0])


def test_sharpness_is_at_least_what_random_corners_find() -> None:
    draw = torch.Generator().manual_seed(0)
    data = tuple((torch.randn(n, 5, generator=draw), torch.randint(0, 3, (n,), generator=draw)) for n in (80, 40))
    made: list[nn.Module] = []

    def network() -> nn.Module:
        made.append(nn.Sequential(nn.Linear(5, 6), nn.ReLU(), nn.Linear(6, 3)))
        return made[-1]

    settings = {**SETTINGS, "steps": 0, "members": 1}
    table = study.sharpness_by_batch_size(
        batch_size=20,
        data=data,
        network=network,
        radius=0.02,
        iterations=6,
        lr=0.01,
        target_loss=0.5,
        seed=4,
        **settings,
    )
    member = Population.of(network, 1, seed=4).member(0)
    before = nn.functional.cross_entropy(member(data[0][0]), data[0][1]).item()
    assert table["train_loss"][0] == pytest.approx(before, rel=1e-6)
    best = 0.0
    weights = {name: weight.detach().clone() for name, weight in member.named_parameters()}
    for _ in range(200):
        moved = {
            name: w + 0.02 * (w.abs() + 1) * torch.randn(w.shape, generator=draw).sign() for name, w in weights.items()
        }
        outputs = torch.func.functional_call(member, moved, (data[0][0],))
        best = max(best, nn.functional.cross_entropy(outputs, data[0][1]).item() - before)
    assert table["sharpness"][0] >= 100 * best / (1 + before) > 0
    assert table["sharpness_folded"] == table["sharpness"]  # there is no batch norm to fold
    assert table["updates"] == [0]


def test_statistics_of_a_table_made_by_hand() -> None:
    columns = {"sharpness": [1.0, 2.0, 4.0], "relative": [1.0, 1.0, 3.0], "test_accuracy": [0.9, 0.8, 0.7],
               "sharpness_rescaled": [3.0, 2.0, 1.0], "sharpness_folded": [2.0, 2.0, 2.0],
               "sharpness_tenfold": [10.0, 1.0, 1.0], "relative_tenfold": [1.0, 5.0, 5.0]}  # fmt: skip
    one = pd.DataFrame({"batch_size": [10, 20, 40], **columns})
    table = pd.concat([one.assign(member=0), one.assign(member=1)])
    assert study.sharpness_ratio(table) == pytest.approx([np.log(4)] * 2)
    assert study.accuracy_lost(table) == pytest.approx([0.2] * 2)
    assert study.rank_of_sharpness(table) == pytest.approx([1.0] * 2)
    assert study.rank_after_rescaling(table) == pytest.approx([-1.0] * 2)
    assert study.flat_made_sharp(table) == pytest.approx([np.log(5)] * 2)
    assert study.relative_unmoved(table) == pytest.approx([0.0] * 2)


@pytest.mark.slow
def test_the_smoke_run_shows_sharper_minima_and_that_sharpness_can_be_made() -> None:
    record = heldout.study("sharpness-by-batch-size")
    verdicts = [claim["verdict"] for claim in record.claims]
    assert (verdicts[0], verdicts[3]) == ("reproduced",) * 2
    assert (record.table.train_loss <= 0.15).all()
    assert {row["panel"] for row in record.figure().to_dict()["data"]["values"]} >= {
        "sharpness",
        "test error in percent",
    }


def test_one_batch_size_shows_nothing_and_relative_sharpness_is_unmoved() -> None:
    record = heldout.study("sharpness-by-batch-size", batch_size=[20], **SETTINGS)
    assert record.claims[0]["value"] == record.claims[1]["value"] == 0
    assert record.claims[3]["control"] == pytest.approx(0, abs=1e-3)
