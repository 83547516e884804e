"""The two spheres: the twin against its definition, the statistics on a table made by hand, what the smoke run shows."""

from typing import Any

import pandas as pd
import pytest
import torch

import heldout
from heldout.engine.population import stream
from heldout.studies import uniform_convergence_hypersphere as study

SETTINGS: dict[str, Any] = {"examples": 40, "dimensions": 12, "width": 16, "steps": 30, "members": 2, "batch_size": 10,
                            "fresh": 50, "seed": 0}  # fmt: skip


def test_points_lie_on_the_sphere_in_every_direction() -> None:
    points = study.sphere(stream(0, "points"), 4000, 5)
    torch.testing.assert_close(points.norm(dim=1), torch.ones(4000))
    # each coordinate has mean 0 and variance 1/5; six standard errors fail with a probability below 1e-6
    assert float(points.mean(0).abs().max()) < 6 * (1 / 5 / 4000) ** 0.5
    assert float(points.square().mean(0).sub(0.2).abs().max()) < 6 * (2 * 0.2**2 / 4000) ** 0.5


def test_on_two_points_the_twin_error_is_the_learned_function_on_the_swapped_spheres() -> None:
    """In one dimension every direction is +-1, so a fitted network is right on four points and wrong on no other sphere."""
    rows = study.uniform_convergence_hypersphere(**{**SETTINGS, "dimensions": 1, "examples": 20, "steps": 3000})
    for column in ("train_error", "twin_error", "test_error"):
        assert rows[column].max() == 0  # the twin's points are the training points themselves


def test_training_ends_at_the_margin() -> None:
    rows = study.uniform_convergence_hypersphere(**{**SETTINGS, "dimensions": 1, "steps": 3000, "margin": 1.0})
    assert rows["steps_taken"].max() < 3000


def test_statistics_of_a_table_made_by_hand() -> None:
    made = pd.DataFrame({
        "examples": [8, 8, 64, 64], "member": [0, 1, 0, 1], "train_error": 0.0, "test_error": [0.4, 0.5, 0.1, 0.2],
        "twin_error": [1.0, 1.0, 0.9, 1.0],
    })  # fmt: skip
    assert study.twin_error(made) == pytest.approx([0.9, 1.0])
    assert study.error_of_a_fresh_set(made) == pytest.approx([0.1, 0.2])
    assert study.uniform_bound(made) == pytest.approx([0.8, 0.8])
    assert study.fall_of_the_test_error(made) == pytest.approx([0.3, 0.3])
    assert study.fall_of_the_twin_error(made) == pytest.approx([0.1, 0.0])
    assert len(study.drawn(made)) == 6


def test_the_smoke_run_reproduces_every_claim() -> None:
    record = heldout.study("uniform-convergence-hypersphere")
    assert [claim["verdict"] for claim in record.claims] == ["reproduced"] * 3
    assert record.table.train_error.max() < 0.01


def test_every_setting_matters() -> None:
    table = pd.DataFrame(study.uniform_convergence_hypersphere(**SETTINGS))
    for change in ({"examples": 30}, {"dimensions": 9}, {"width": 8}, {"steps": 20}, {"members": 3}, {"lr": 0.05},
                   {"batch_size": 5}, {"margin": 0.1, "steps": 3000}, {"fresh": 70}, {"seed": 1}):  # fmt: skip
        assert not pd.DataFrame(study.uniform_convergence_hypersphere(**{**SETTINGS, **change})).equals(table), change
