"""The atlas: its statistics on hand-made tables, who arrived, and that the cell is what training by hand gives."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

import heldout
from heldout.engine.training import Recipe
from heldout.engine.trajectories.arriving import gathered
from heldout.studies import atlas as study

SMALL: dict[str, Any] = {
    "task": "transformed-digits", "width": 8, "depth": 1, "vary": "quick", "seeds": 2, "test_size": 60, "steps": 30,
    "target_loss": 2.3, "measures": "named",
}  # fmt: skip


def made() -> pd.DataFrame:
    """Two seeds, two architectures of four networks: in the first the measure orders the gap, in the second it reverses it."""
    rows = [
        {"member": seed, "task": "a", "width": width, "depth": 1, "vary": "recipe", "noise": 0.0, "size": 9,
         "rate": 0.1 * (k + 1), "gap": 0.1 * k + seed, "measure.m": k if width == 1 else -k}
        for seed in (0, 1) for width in (1, 2) for k in range(4)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def test_concordance_is_averaged_over_architectures_by_seed() -> None:
    assert study.concordance(made(), "m") == pytest.approx([0.0, 0.0])
    assert study.concordance(made()[made().width == 1], "m") == pytest.approx([1.0, 1.0])


def test_the_figure_s_rows_are_means_over_seeds_with_their_range() -> None:
    rows = study.gaps(made())
    first = rows[(rows.curve == "width 1, 9 examples") & (rows.x == 0.1)].iloc[0]
    assert (first.y, first.low, first.high) == pytest.approx((0.5, 0.0, 1.0))


def test_a_row_is_a_network_that_arrived() -> None:
    sets = [study.examples_of("transformed-digits", 100, 0, number) for number in (0, 1)]
    axes = {"rate": (0.02, 0.2), "decay": (0.0,), "noise": (0.0, 0.5)}
    recipe = Recipe(steps=75, stop="loss", target_loss=1.5, batch_size=25)
    arm = study.trained(sets, recipe, axes, 16, 1, seed=0)
    reasons = arm.trajectory.reason
    assert set(reasons) == {"loss", "steps"}  # otherwise the test could not fail
    for number in (0, 1):
        arrived, columns = gathered([arm], number)
        here = [m for m, own in enumerate(arm.settings) if own["number"] == number and reasons[m] == "loss"]
        assert arrived is not None
        assert columns["rate"] == [arm.settings[m]["rate"] for m in here]
        assert columns["updates"] == [arm.trajectory.step[m] for m in here]
        assert torch.equal(arrived.labels, arm.trajectory.train.y[here])
        assert torch.equal(arrived.final.parameters["1.weight"], arm.trajectory.final.parameters["1.weight"][here])
        loss = torch.nn.functional.cross_entropy(arrived.final(sets[number].x)[0], arrived.labels[0]).item()
        assert loss <= 1.5 + 1e-5


def test_two_arms_are_joined_in_their_order() -> None:
    sets = [study.examples_of("transformed-digits", 60, 0, 0)]
    axes = {"rate": (0.02,), "decay": (0.0,), "noise": (0.0,)}
    arms = [
        study.trained(sets, Recipe(steps=1, stop="loss", target_loss=99, batch_size=b), axes, 4, 1, 0) for b in (20, 30)
    ]
    arrived, columns = gathered(arms, 0)
    assert arrived is not None
    assert columns["batch"] == [20, 30]
    for place, arm in enumerate(arms):
        assert torch.equal(arrived.final.parameters["1.bias"][place], arm.trajectory.final.parameters["1.bias"][0])
    assert gathered(arms, 7) == (None, {})


def test_a_cell_has_its_columns_and_every_setting_matters() -> None:
    table = pd.DataFrame(study.atlas(**SMALL, seed=0))
    assert np.allclose(table.gap, table.train_accuracy - table.accuracy)
    assert set(table.member) == {0, 1}
    assert {f"measure.{name}" for name in study.NAMED} <= set(table)
    for change in ({"width": 9}, {"depth": 2}, {"seeds": 1}, {"test_size": 50}, {"target_loss": 2.0}, {"seed": 1},
                   {"task": "one-dimensional-digits"}):  # fmt: skip
        assert not pd.DataFrame(study.atlas(**{**SMALL, "seed": 0, **change})).equals(table), change


def test_the_smoke_run_has_a_verdict_on_each_claim() -> None:
    record = heldout.study("atlas")
    assert len(record.claims) == 3
    assert {claim["verdict"] for claim in record.claims} <= {"reproduced", "not reproduced", "underpowered"}
