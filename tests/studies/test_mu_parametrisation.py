"""Maximal update: weights and steps against the table of the paper, the statistics on a hand-made table, the smoke run."""

from math import log
from typing import Any

import pandas as pd
import pytest
import torch
from torch import Tensor

import heldout
from heldout.engine.population import Population, stream
from heldout.networks.dense import dense
from heldout.studies import mu_parametrisation as study


def examples(count: int) -> tuple[Tensor, Tensor]:
    y = torch.arange(count) % 3
    return torch.randn(count, 4, generator=stream(0, "x", count)) + y[:, None], y


SETTINGS: dict[str, Any] = {"parametrisation": "maximal update", "width": 12, "base": 4, "log_rates": (-6, -3), "train_size": 1,
                            "steps": 6, "members": 2, "batch_size": 10, "data": (examples(60),) * 2, "seed": 0}  # fmt: skip


def test_the_smoke_run_is_too_small_to_show_it_and_says_so() -> None:
    record = heldout.study("mu-parametrisation")
    assert [claim["verdict"] for claim in record.claims] == ["not reproduced"] * 2
    base = record.table[record.table.width == 32]
    one, other = (base[base.parametrisation == arm].loss.tolist() for arm in study.ARMS)
    assert one == other  # at the base width there is nothing to scale
    assert "facet" in record.figure().to_dict()


def test_output_weights_and_steps_of_all_but_the_inputs_are_scaled() -> None:
    population = Population.of(lambda: dense(inputs=4, widths=(8, 8), outputs=3), 2, seed=0)
    changed, factors = study.maximal_update(population, 1 / 16)
    assert factors == {"3.weight": 1 / 16, "5.weight": 1 / 16}
    torch.testing.assert_close(changed.parameters["5.weight"], population.parameters["5.weight"] / 4)
    for name in set(population.parameters) - {"5.weight"}:
        assert torch.equal(changed.parameters[name], population.parameters[name])


def test_first_steps_change_outputs_alike_at_every_width() -> None:
    """The coordinate check: one step of Adam changes the outputs as much at width 64 as at 1,024, which it does not by default."""
    grown = {}
    for arm in study.ARMS:
        change = []
        for width in (64, 1024):
            settings = {**SETTINGS, "parametrisation": arm, "width": width, "base": 64, "steps": 1, "log_rates": (-9,)}
            before, after = (
                study.mu_parametrisation(**{**settings, "log_rates": (rate,)})["loss"] for rate in (-40, -9)
            )
            change.append(sum(abs(b - a) for b, a in zip(before, after, strict=True)))
        grown[arm] = change[1] / change[0]
    assert grown["standard"] > 4
    assert 0.3 < grown["maximal update"] < 3


def test_statistics_of_a_table_made_by_hand() -> None:
    losses = {
        ("standard", 32): (1.0, 0.5, 0.2), ("standard", 128): (1.0, 0.1, 3.0), ("maximal update", 32): (1.0, 0.5, 0.2),
        ("maximal update", 128): (1.0, 0.3, 0.1), ("standard", 64): (0.0, 9.0, 9.0),
    }  # fmt: skip
    rows = [
        {"parametrisation": arm, "width": width, "log_rate": rate, "member": member, "loss": value * (1 + member)}
        for (arm, width), values in losses.items() for rate, value in zip((-7, -6, -5), values, strict=True)
        for member in (0, 1)
    ]  # fmt: skip
    table = pd.DataFrame(rows)
    assert study.drift_of_the_standard(table) == [1.0, 1.0]
    assert study.drift_of_maximal_updates(table) == [0.0, 0.0]
    assert study.transfer_of_the_standard(table) == pytest.approx([log(30)] * 2)
    assert study.transfer_of_maximal_updates(table) == pytest.approx([0.0] * 2)
    table.loc[(table.width == 128) & (table.log_rate == -5), "loss"] = float("nan")  # it diverged
    assert study.drift_of_maximal_updates(table) == [1.0, 1.0]
    assert len(study.curves(table)) == 13


def test_every_setting_matters() -> None:
    table = pd.DataFrame(study.mu_parametrisation(**SETTINGS))
    for change in (
        {"parametrisation": "standard"}, {"width": 20}, {"base": 2}, {"log_rates": (-6, -2)}, {"steps": 9}, {"depth": 1},
        {"batch_size": 20}, {"seed": 1}, {"members": 3}, {"data": (examples(30),) * 2},
    ):  # fmt: skip
        assert not pd.DataFrame(study.mu_parametrisation(**{**SETTINGS, **change})).equals(table), change
