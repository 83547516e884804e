"""Grokking of division: the smoke run, the order of logarithms, the statistics on a table made by hand."""

import math

import pandas as pd
import pytest
import torch

import heldout
from heldout.engine.numerics.fourier_modular import powers_of_a_root
from heldout.studies import grokking_division as study


def test_the_smoke_run_reproduces_the_claims_about_the_quadratic_network() -> None:
    record = heldout.study("grokking-division")
    assert [claim["verdict"] for claim in record.claims] == ["reproduced"] * 2 + ["underpowered"] * 2
    assert "facet" in record.figure().to_dict()


def test_waves_over_logarithms_are_pure_in_their_order_only() -> None:
    order = powers_of_a_root(31)
    first = torch.zeros(1, 2, 62)
    wave = torch.cos(2 * math.pi * 4 * torch.arange(30) / 30)
    for unit in (0, 1):
        first[0, unit, order] = wave
        first[0, unit, 31 + order] = wave.roll(unit)
    assert float(study.waves(first, 31, order)) == pytest.approx(1.0, abs=1e-5)
    assert float(study.waves(first, 31, torch.arange(1, 31))) < 0.4


def test_powers_of_a_root_are_all_residues_and_turn_products_into_sums() -> None:
    for modulus in (5, 7, 31, 59, 97):
        powers = powers_of_a_root(modulus).tolist()
        assert sorted(powers) == list(range(1, modulus))
        assert all(powers[2] * powers[k] % modulus == powers[(k + 2) % (modulus - 1)] for k in range(modulus - 1))


def test_statistics_of_a_table_made_by_hand() -> None:
    rows = [
        {"arm": arm, "member": member, "step": step, "train_accuracy": float(step >= 10), "by_logarithm": 0.8, "by_residue": 0.1,
         "test_accuracy": float(step >= 40 + 40 * member) * (0.9 + order / 100)}
        for order, arm in enumerate(study.ARMS) for member in (0, 1) for step in range(0, 101, 10)
    ]  # fmt: skip
    table = pd.DataFrame(rows)
    assert study.quadratic_accuracy(table) == pytest.approx([0.9, 0.9])
    assert study.quadratic_accuracy_with_few(table) == pytest.approx([0.91, 0.91])
    assert study.transformer_accuracy(table) == pytest.approx([0.92, 0.92])
    assert study.transformer_accuracy_without_decay(table) == pytest.approx([0.93, 0.93])
    assert study.transformer_lateness(table) == pytest.approx([math.log(4), math.log(8)])
    never = table.assign(test_accuracy=table.test_accuracy.where(table.member == 0, 0.0))
    assert study.transformer_lateness(never) == pytest.approx([math.log(4), math.log(10)])
    assert study.participation_by_logarithm(table) == [0.8, 0.8]
    assert study.participation_by_residue(table) == [0.1, 0.1]


def test_every_setting_matters() -> None:
    quadratic = {"arm": "quadratic", "modulus": 11, "width": 20, "steps": 20, "members": 2, "readings": 2, "seed": 0}
    transformer = {**quadratic, "arm": "transformer", "transformer_modulus": 5, "transformer_share": 0.5, "transformer_width": 8,
                   "transformer_steps": 8}  # fmt: skip
    changes = [
        (quadratic, {"share": 0.6}), (quadratic, {"operation": "multiplication"}), (quadratic, {"arm": "quadratic, few pairs"}),
        ({**quadratic, "arm": "quadratic, few pairs"}, {"few": 0.4}), (transformer, {"transformer_modulus": 7}),
        (transformer, {"transformer_share": 0.7}), (transformer, {"transformer_steps": 4}), (quadratic, {"seed": 1}),
    ]  # fmt: skip
    for settings, change in changes:
        before, after = (study.grokking_division(**given) for given in (settings, {**settings, **change}))
        assert before["train_accuracy"] != after["train_accuracy"] or before["step"] != after["step"], change
    plain, decayed = (
        study.grokking_division(**{**transformer, "transformer_steps": 60, "arm": arm})
        for arm in ("transformer, no decay", "transformer")
    )
    assert plain != decayed
    assert math.isnan(decayed["by_residue"][0])
