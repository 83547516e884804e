"""Rows of the first layer, cut where the inputs are one-hot."""

import pytest
import torch
from tests import cases
from torch import nn

from heldout.datasets.modular_arithmetic import modular_arithmetic
from heldout.engine.evidence.first_layer import one_hot_blocks
from heldout.engine.evidence.resolving import Evidence
from heldout.engine.subject import Examples, Subject
from heldout.records import NotApplicable


def test_one_hot_pairs_are_two_blocks() -> None:
    (x, y), _ = modular_arithmetic(modulus=7)
    network = nn.Linear(14, 7)
    rows = Evidence(Subject(network, (x, y)))["first_layer_rows"]
    assert rows.shape == (1, 7, 2, 7)
    assert torch.equal(rows[0, :, 1], network.weight[:, 7:])
    stacked = Examples(x[None], y[None], True, True)
    assert one_hot_blocks(Subject(network, stacked)) == 2


def test_anything_else_is_one_block() -> None:
    (x, y), _ = modular_arithmetic(modulus=7)
    network = nn.Linear(14, 7)
    for changed in (2 * x, x[:, torch.randperm(14, generator=torch.Generator().manual_seed(0))], x * 0, x - 1):
        assert one_hot_blocks(Subject(network, (changed, y))) == 1
    assert Evidence(cases.mlp().subject())["first_layer_rows"].shape == (1, 16, 1, 8)


def test_convolutions_embeddings_and_short_inputs_say_why_not() -> None:
    for case in (cases.cnn(), cases.token_transformer()):
        with pytest.raises(NotApplicable, match="not dense"):
            Evidence(case.subject())["first_layer_rows"]
    with pytest.raises(NotApplicable, match="fewer than 4"):
        Evidence(Subject(nn.Linear(3, 2), (torch.eye(3), torch.tensor([0, 1, 0]))))["first_layer_rows"]
