"""Delayed robustness: the smoke run, the attack, the statistics on a table made by hand."""

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

import heldout
from heldout.engine.population import Population
from heldout.studies import delayed_robustness as study


def test_the_smoke_run_reproduces_rise_and_fall_and_no_delayed_robustness() -> None:
    record = heldout.study("delayed-robustness")
    assert [claim["verdict"] for claim in record.claims] == ["reproduced", "reproduced", "not reproduced"]
    assert "facet" in record.figure().to_dict()


def test_the_attack_on_a_linear_network_is_the_corner_against_its_weights() -> None:
    networks = [nn.Linear(4, 2, bias=False) for _ in range(2)]
    with torch.no_grad():
        for sign, network in zip((1.0, -1.0), networks, strict=True):
            network.weight.copy_(sign * torch.tensor([[1.0, -2.0, 3.0, -1.0], [0.0, 0.0, 0.0, 0.0]]))
    x = torch.full((2, 1, 4), 0.5)
    x[:, :, 3] = 0.95
    moved = study.adversarial(Population(networks), x, torch.zeros(2, 1, dtype=torch.int64), 0.1)
    torch.testing.assert_close(moved[0, 0], torch.tensor([0.4, 0.6, 0.4, 1.0]))
    torch.testing.assert_close(moved[1, 0], torch.tensor([0.6, 0.4, 0.6, 0.85]))
    near = study.adversarial(Population(networks), x, torch.zeros(2, 1, dtype=torch.int64), 0.1, steps=1)
    torch.testing.assert_close(near[0, 0], torch.tensor([0.475, 0.525, 0.475, 0.975]))


def test_statistics_of_a_table_made_by_hand() -> None:
    rows = [
        {"member": member, "step": step, "train_complexity": train, "random_complexity": 2.0, "test_accuracy": clean,
         "attacked_accuracy": attacked + member / 10}
        for member in (0, 1)
        for step, train, clean, attacked in ((0, 1.0, 0.1, 0.0), (10, 4.0, 0.895, 0.3), (20, 2.0, 0.895, 0.4), (30, 0.5, 0.9, 0.6))
    ]  # fmt: skip
    table = pd.DataFrame(rows)
    assert study.rise_around_training_points(table) == pytest.approx([np.log(4)] * 2)
    assert study.fall_around_training_points(table) == pytest.approx([np.log(8)] * 2)
    assert study.rise_around_random_points(table) == study.fall_around_random_points(table) == pytest.approx([0.0, 0.0])
    assert study.robustness_gained_late(table) == pytest.approx([0.3, 0.3])


def test_every_setting_matters_and_every_data_can_take_their_place() -> None:
    settings = {
        "train_size": 60,
        "widths": (10,),
        "steps": 6,
        "members": 2,
        "points": 20,
        "readings": 2,
        "tested": 50,
        "seed": 0,
    }
    table = pd.DataFrame(study.delayed_robustness(**settings))
    generator = torch.Generator().manual_seed(0)
    own = tuple((torch.rand(30, 5, generator=generator), torch.arange(30) % 3) for _ in range(2))
    for change in ({"radius": 0.5}, {"attack": 0.3}, {"directions": 2, "radius": 0.5}, {"points": 10}, {"lr": 0.01}, {"readings": 3},
                   {"weight_decay": 50.0}, {"tested": 20}, {"batch_norm": True}, {"data": own}, {"train_size": 50}, {"seed": 1},
                   {"widths": (12,)}):  # fmt: skip
        assert not pd.DataFrame(study.delayed_robustness(**{**settings, **change})).equals(table), change
