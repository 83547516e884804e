"""The large-batch gap: recipes of the arms, columns against plain torch, statistics of hand-made tables, the smoke run."""

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

import heldout
from heldout.engine.population import Population
from heldout.studies import large_batch_gap as study

SETTINGS = {"train_size": 120, "width": 6, "depth": 1, "small": 10, "large": 40, "epochs": 4, "members": 2}
DRAW = torch.Generator().manual_seed(0)
DATA = tuple((torch.randn(n, 5, generator=DRAW), torch.randint(0, 3, (n,), generator=DRAW)) for n in (120, 50))


def test_each_arm_adds_one_thing_to_the_one_before() -> None:
    recipes = {arm: study.recipe_of(arm, 120, 10, 40, 4, 0.1, 1e-4) for arm in study.ARMS}
    assert {arm: (r.batch_size, r.steps, r.lr) for arm, r in recipes.items()} == {
        "small": (10, 48, 0.1), "large": (40, 12, 0.1), "rate": (40, 12, pytest.approx(0.2)),
        "ghost": (40, 12, pytest.approx(0.2)), "regime": (40, 48, pytest.approx(0.2)),
    }  # fmt: skip
    assert [len(r.interventions) for r in recipes.values()] == [0, 0, 0, 1, 1]
    assert recipes["small"].milestones == (24, 38)
    assert recipes["large"].weight_decay == 1e-4


def test_columns_are_distance_and_accuracy_of_the_networks_that_were_trained() -> None:
    made: list[nn.Module] = []

    def network() -> nn.Module:
        made.append(nn.Sequential(nn.Linear(5, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 3)))
        return made[-1]

    table = pd.DataFrame(
        study.large_batch_gap(arm="small", data=DATA, network=network, readings=3, lr=0.05, seed=3, **SETTINGS)
    )
    assert sorted(set(table.step)) == [0, 1, 7, 48]
    assert (table[table.step == 0].distance == 0).all()
    assert (table[table.step > 0].distance > 0).all()
    initial = Population.of(network, 2, seed=3)
    with torch.no_grad():
        accuracy = (initial.member(1)(DATA[1][0]).argmax(1) == DATA[1][1]).double().mean()
    assert table[(table.step == 0) & (table.member == 1)].test_accuracy.item() == pytest.approx(float(accuracy))


def test_distance_is_the_norm_of_all_differences() -> None:
    one, other = (Population.of(lambda: nn.Linear(3, 2), 2, seed=seed) for seed in (0, 1))
    flat = [torch.cat([p.parameters[n][1].flatten() for n in ("weight", "bias")]).numpy() for p in (one, other)]
    assert float(study.distance(one, other)[1]) == pytest.approx(np.linalg.norm(flat[0] - flat[1]), rel=1e-6)


def hand_made() -> pd.DataFrame:
    accuracy = {"small": 0.8, "large": 0.6, "rate": 0.65, "ghost": 0.68, "regime": 0.78}
    return pd.DataFrame([
        {"arm": arm, "member": member, "step": step, "first_drop": 50, "distance": np.sqrt(step) if member else np.log(step),
         "test_accuracy": (value + 0.1 * member) if step == 100 else 0.0}
        for arm, value in accuracy.items() for member in (0, 1) for step in (1, 2, 10, 30, 50, 100)
    ])  # fmt: skip


def test_statistics_of_a_table_made_by_hand() -> None:
    table = hand_made()
    assert study.gap_of_large_batches(table) == pytest.approx([0.2, 0.2])
    assert study.gap_after_adaptation(table) == pytest.approx([0.02, 0.02])
    assert study.gain_of_the_rate(table) == pytest.approx([0.05, 0.05])
    assert study.gain_of_ghosts(table) == pytest.approx([0.03, 0.03])
    assert study.gain_of_updates(table) == pytest.approx([0.1, 0.1])
    logarithm, root = study.logarithm_against_root(table)
    steps = np.array([1, 2, 10, 30, 50])
    other = np.corrcoef(np.log(steps), np.sqrt(steps))[0, 1] ** 2
    assert logarithm == pytest.approx(1 - other)
    assert root == pytest.approx(other - 1)
    assert np.isnan(study.gap_after_adaptation(table[table.arm != "regime"])).all()


def test_the_smoke_run_shows_the_gap_and_what_the_rate_recovers() -> None:
    record = heldout.study("large-batch-gap", arm=["small", "large", "rate"])
    assert [claim["verdict"] for claim in record.claims[:2]] == ["reproduced"] * 2
    assert record.claims[4]["verdict"] == "underpowered"
    assert record.figure().to_dict()["facet"]["field"] == "panel"


def test_batches_of_one_size_leave_no_gap() -> None:
    record = heldout.study("large-batch-gap", arm=["small", "large"], large=40, train_size=400, epochs=2)
    assert record.claims[0]["value"] == 0
