"""Lottery tickets: masks hold, arms start where they should, the statistics on a hand-made table, the smoke run."""

from typing import Any

import pandas as pd
import pytest
import torch
from torch import Tensor

import heldout
from heldout.engine.population import Population, stream
from heldout.engine.training import Recipe, fit
from heldout.networks.dense import dense
from heldout.studies import lottery_tickets as study


def examples(count: int) -> tuple[Tensor, Tensor]:
    y = torch.arange(count) % 3
    return torch.randn(count, 4, generator=stream(0, "x", count)) + y[:, None], y


SETTINGS: dict[str, Any] = {"rewind": 1, "rounds": 2, "removed": 0.4, "train_size": 1, "width": 7, "steps": 6, "members": 2,
                            "batch_size": 10, "lr": 0.05, "data": (examples(60), examples(90)), "seed": 0}  # fmt: skip


def test_the_smoke_run_reproduces_what_tickets_are_better_than() -> None:
    record = heldout.study("lottery-tickets")
    assert [claim["verdict"] for claim in record.claims] == ["reproduced"] * 3
    assert record.table.left.min() == pytest.approx(0.125, abs=1e-3)
    assert record.figure().to_dict()["layer"]


def test_random_masks_keep_as_many_of_each_layer_elsewhere() -> None:
    masks = {
        "a": torch.rand(3, 8, 9, generator=stream(1, "a")) < 0.3,
        "b": torch.rand(3, 5, 8, generator=stream(1, "b")) < 0.6,
    }
    moved = study.shuffled(masks, 4, 1)
    for name, mask in masks.items():
        assert torch.equal(moved[name].flatten(1).sum(1), mask.flatten(1).sum(1))
        assert not torch.equal(moved[name], mask)
    assert torch.equal(study.shuffled(masks, 4, 1)["a"], moved["a"])
    assert not torch.equal(study.shuffled(masks, 4, 2)["a"], moved["a"])


def test_arms_are_trained_from_their_own_weights_under_their_own_masks() -> None:
    first, second = (Population.of(lambda: dense(inputs=4, widths=(6,), outputs=3), 2, seed=seed) for seed in (0, 1))
    masks = [{"1.weight": torch.rand(2, 6, 4, generator=stream(seed, "m")) < 0.5} for seed in (0, 1)]
    recipe = Recipe(optimizer="adam", lr=0.05, batch_size=10, steps=4)
    both = study.trained([(first, masks[0]), (second, masks[1])], examples(60), recipe, seed=3)
    alone = study.trained([(second, masks[1])], examples(60), recipe, seed=3)
    for name in both.parameters:
        torch.testing.assert_close(both.parameters[name][2:], alone.parameters[name])
    assert bool((both.parameters["1.weight"][:2][~masks[0]["1.weight"]] == 0).all())
    whole = [{"1.weight": torch.ones_like(mask["1.weight"])} for mask in masks]
    plain = fit(second, examples(60), recipe, seed=3).final
    free = study.trained([(second, whole[1])], examples(60), recipe, seed=3)
    torch.testing.assert_close(free.parameters["3.weight"], plain.parameters["3.weight"])


def test_statistics_of_a_table_made_by_hand() -> None:
    values = {
        (0, "ticket"): 0.8,
        (1, "ticket"): 0.79,
        (2, "ticket"): 0.7,
        (2, "random mask"): 0.5,
        (2, "other weights"): 0.6,
    }
    rows = [
        {"round": number, "arm": arm, "member": member, "left": 0.5**number, "test_accuracy": value + member / 10}
        for (number, arm), value in values.items() for member in (1, 0)
    ]  # fmt: skip
    table = pd.DataFrame(rows)
    assert study.over_random_masks(table) == pytest.approx([0.2] * 2)
    assert study.over_other_weights(table) == pytest.approx([0.1] * 2)
    assert study.lost_by_tickets(table) == pytest.approx([0.1] * 2)
    assert study.lost_by_random_masks(table) == pytest.approx([0.3] * 2)
    assert len(study.curves(table)) == 5


def test_every_setting_matters() -> None:
    table = pd.DataFrame(study.lottery_tickets(**SETTINGS))
    assert list(table.left.unique()) == pytest.approx([1.0, 0.6, 0.36], abs=0.02)
    for change in (
        {"rewind": 3}, {"rounds": 1}, {"removed": 0.6}, {"width": 9}, {"steps": 12}, {"depth": 1}, {"lr": 0.2},
        {"batch_size": 20}, {"every_round": True}, {"seed": 1}, {"data": (examples(30),) * 2},
    ):  # fmt: skip
        assert not pd.DataFrame(study.lottery_tickets(**{**SETTINGS, **change})).equals(table), change
