"""Corrupted labels: the smoke run, the corruption, the removal of units, the statistics on a table made by hand."""

import pandas as pd
import pytest
import torch

import heldout
from heldout.engine.population import Population
from heldout.networks.quadratic_modular import quadratic_modular
from heldout.studies import grokking_corrupted_labels as study


def test_the_smoke_run_reproduces_every_claim() -> None:
    record = heldout.study("grokking-corrupted-labels")
    assert [claim["verdict"] for claim in record.claims] == ["reproduced"] * 4
    assert "facet" in record.figure().to_dict()


def test_labels_are_drawn_anew_for_the_share_and_no_more() -> None:
    labels = torch.arange(97).repeat(2, 100)
    changed = study.corrupted(labels, 0.35, 97, seed=1)
    for member in (0, 1):  # one in 97 keeps its truth: 35 to expect of 3,395; 120 is beyond 14 standard deviations
        assert round(0.35 * 9700) - 120 < int((changed[member] != labels[member]).sum()) <= round(0.35 * 9700)
    assert not torch.equal(changed[0], changed[1])
    assert torch.equal(study.corrupted(labels, 0.35, 97, seed=1), changed)
    assert torch.equal(study.corrupted(labels, 0.0, 97, seed=1), labels)


def test_removed_units_say_nothing_and_the_others_what_they_said() -> None:
    population = Population.of(lambda: quadratic_modular(modulus=5, width=6), 2, seed=0)
    x = torch.randn(4, 10, generator=torch.Generator().manual_seed(0))
    cut = study.without(population, torch.tensor([[0, 2], [5, 1]]))
    u, w = population.parameters.values()
    for member, kept in ((0, [1, 3, 4, 5]), (1, [0, 2, 3, 4])):
        torch.testing.assert_close(cut(x)[member], (x @ u[member][kept].T).square() @ w[member][:, kept].T)


def test_statistics_of_a_table_made_by_hand() -> None:
    rows = [
        {"weight_decay": decay, "removed_first": first, "pruned": pruned, "member": member, "test_accuracy": 0.9 - pruned / 2,
         "corrupted_fitted": (0.8 - pruned) if first == "lowest" else 0.8, "corrupted_to_true": decay / 20 + member / 100}
        for decay in (0.0, 15.0) for first in ("lowest", "highest") for pruned in (0.0, 0.2, 0.65) for member in (0, 1)
    ]  # fmt: skip
    table = pd.DataFrame(rows)
    assert study.coexistence(table) == pytest.approx([0.8, 0.8])
    assert study.inversion(table) == pytest.approx([0.75, 0.76])
    assert study.inversion_without_decay(table) == pytest.approx([0.0, 0.01])
    assert study.forgetting_by_lowest(table) == pytest.approx([0.575 - 0.15] * 2)
    assert study.forgetting_by_highest(table) == pytest.approx([0.575 - 0.8] * 2)
    assert study.memory_by_highest(table) == pytest.approx([0.8 - 0.8] * 2)
    assert study.memory_by_lowest(table) == pytest.approx([0.6 - 0.8] * 2)
    table.loc[table.weight_decay == 15.0, "corrupted_fitted"] = 0.1
    assert study.coexistence_under_decay(table) == pytest.approx([0.1, 0.1])


def test_every_setting_matters() -> None:
    settings = {"modulus": 11, "width": 30, "weight_decay": 1.0, "steps": 20, "members": 2, "seed": 0}
    table = pd.DataFrame(study.grokking_corrupted_labels(**settings))
    for change in (
        {"corruption": 0.6},
        {"share": 0.7},
        {"lr": 0.03},
        {"weight_decay": 9.0},
        {"steps": 10},
        {"seed": 1},
    ):
        changed = pd.DataFrame(study.grokking_corrupted_labels(**{**settings, **change}))
        assert not changed.equals(table), change
