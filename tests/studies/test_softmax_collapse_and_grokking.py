"""Softmax collapse: the smoke run, the statistics on a table made by hand, the arms' losses."""

import pandas as pd
import pytest
import torch

import heldout
from heldout.studies import softmax_collapse_and_grokking as study


def test_the_smoke_run_reproduces_what_it_has_the_steps_for() -> None:
    record = heldout.study("softmax-collapse-and-grokking")
    assert [claim["verdict"] for claim in record.claims] == [*["reproduced"] * 3, "underpowered"]
    assert "facet" in record.figure().to_dict()


def test_statistics_of_a_table_made_by_hand() -> None:
    rows = [
        {"arm": arm, "member": member, "step": step, "train_accuracy": 1.0, "test_accuracy": order / 10 + step / 100,
         "collapse_in_float16": (0.9 if step == 5 else 0.5) - order / 10, "collapse_in_float32": order / 10,
         "cosine": member + step / 10}
        for order, arm in enumerate(("float16", "float32", "perp-grad", "stablemax", "float64"))
        for member in (0, 1) for step in (0, 5, 10)
    ]  # fmt: skip
    table = pd.DataFrame(rows)
    assert study.collapse_in_float16(table) == pytest.approx([0.9, 0.9])
    assert study.collapse_in_float32(table) == pytest.approx([0.1, 0.1])
    assert study.cosine_in_float32(table) == study.cosine_in_float16(table) == pytest.approx([1.0, 2.0])
    assert study.accuracy_with_cross_entropy(table) == pytest.approx([0.2, 0.2])
    assert study.accuracy_with_perp_grad(table) == pytest.approx([0.3, 0.3])
    assert study.accuracy_with_stablemax(table) == pytest.approx([0.4, 0.4])
    assert study.accuracy_in_float64(table) == pytest.approx([0.5, 0.5])
    assert set(study.curves(table).panel) == set(table.arm)


def test_losses_of_the_arms() -> None:
    z, y = torch.tensor([[9.0, 0.0]]), torch.tensor([0])
    assert float(study.loss_of("float16")(z, y)) == 0 < float(study.loss_of("float32")(z, y))
    assert float(study.loss_of("stablemax")(z, y)) == pytest.approx(0.09531, abs=1e-4)  # ln(11 / 10)
    assert study.loss_of("perp-grad") == "cross-entropy"


def test_every_setting_matters() -> None:
    settings = {
        "arm": "float64",
        "modulus": 7,
        "share": 0.5,
        "width": 10,
        "steps": 3,
        "members": 2,
        "long_steps": 12,
        "seed": 0,
    }
    table = pd.DataFrame(study.softmax_collapse_and_grokking(**settings))
    assert table.step.max() == 12
    for change in ({"arm": "stablemax"}, {"arm": "perp-grad"}, {"lr": 0.03}, {"weight_decay": 5.0}, {"readings": 3}, {"share": 0.6},
                   {"long_steps": 8}, {"seed": 1}):  # fmt: skip
        assert not pd.DataFrame(study.softmax_collapse_and_grokking(**{**settings, **change})).equals(table), change
