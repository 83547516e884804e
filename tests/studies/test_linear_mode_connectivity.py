"""Linear mode connectivity: points on the segment, batch norm's trap, the statistics on a hand-made table, the smoke run."""

from typing import Any

import pandas as pd
import pytest
import torch
from torch import Tensor, nn

import heldout
from heldout.engine.population import Population, stream
from heldout.engine.population.batch_statistics import with_own_batch_statistics
from heldout.engine.training import Recipe, errors, fit
from heldout.networks.dense import dense
from heldout.studies import linear_mode_connectivity as study


def examples(count: int) -> tuple[Tensor, Tensor]:
    y = torch.arange(count) % 3
    return torch.randn(count, 4, generator=stream(0, "x", count)) + y[:, None], y


SETTINGS: dict[str, Any] = {"branch": (0, 3), "train_size": 1, "width": 6, "steps": 8, "members": 2, "batch_size": 10,
                            "lr": 0.05, "data": (examples(60), examples(90)), "seed": 0}  # fmt: skip


def test_the_smoke_run_shows_the_barrier_and_where_it_goes() -> None:
    record = heldout.study("linear-mode-connectivity")
    assert [record.claims[place]["verdict"] for place in (0, 2)] == ["reproduced"] * 2
    assert "facet" in record.figure().to_dict()


def test_points_are_weighted_means_of_the_ends() -> None:
    population = Population.of(lambda: nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3)), 4, seed=0)
    points = study.between(population, torch.tensor([0.0, 0.25, 1.0]))
    assert len(points) == 6
    weight = population.parameters["0.weight"]
    found = points.parameters["0.weight"]
    torch.testing.assert_close(found[1], 0.75 * weight[0] + 0.25 * weight[1])
    torch.testing.assert_close(found[3], weight[2])
    torch.testing.assert_close(found[5], weight[3])


def test_batch_norm_is_computed_anew_at_every_point() -> None:
    settings = {**SETTINGS, "batch_norm": True, "members": 1, "branch": (5,), "alphas": 3, "depth": 1}
    table = study.linear_mode_connectivity(**{
        **settings,
        "steps": 5,
    })  # no step after parting: all points are the same network
    assert len(set(table["train_error"])) == 1

    population = Population.of(lambda: dense(inputs=4, widths=(6,), outputs=3, batch_norm=True), 1, seed=0)
    trained = fit(population, examples(60), Recipe(optimizer="adam", lr=0.05, batch_size=10, steps=5), seed=0).final
    anew = with_own_batch_statistics(trained, examples(60)[0])
    assert table["test_error"][0] == pytest.approx(float(errors(anew, *examples(90))[0]))


def test_statistics_of_a_table_made_by_hand() -> None:
    curve = {0: (0.1, 0.5, 0.3), 100: (0.1, 0.25, 0.2), 500: (0.1, 0.1, 0.1)}
    rows = [
        {"member": member, "branch": branch, "alpha": alpha, "train_error": error, "test_error": error + alpha, "steps": 1000}
        for branch, errors_at in curve.items() for alpha, error in zip((0.0, 0.5, 1.0), errors_at, strict=True)
        for member in (0, 1)
    ]  # fmt: skip
    table = pd.DataFrame(rows)
    assert study.barrier_from_the_start(table) == pytest.approx([0.3] * 2)
    assert study.barrier_later(table) == pytest.approx([0.0] * 2)
    assert study.barrier_of_the_test_error(table) == pytest.approx([1.3 - 0.7] * 2)
    assert study.later_barrier_of_the_test_error(table) == pytest.approx([0.5] * 2)
    assert study.early_share(table) == pytest.approx([0.1 / 0.3] * 2)
    assert len(study.curves(table)) == 18


def test_every_setting_matters() -> None:
    table = pd.DataFrame(study.linear_mode_connectivity(**SETTINGS))
    for change in (
        {"branch": (0, 5)}, {"width": 9}, {"steps": 20}, {"depth": 1}, {"batch_norm": True}, {"optimizer": "sgd"}, {"lr": 0.2},
        {"batch_size": 20}, {"alphas": 5}, {"seed": 1}, {"network": lambda: nn.Linear(4, 3)}, {"data": (examples(30),) * 2},
    ):  # fmt: skip
        assert not pd.DataFrame(study.linear_mode_connectivity(**{**SETTINGS, **change})).equals(table), change
