"""Histories as evidence: one row a member, on the subject's steps."""

import pytest
import torch
from tests import cases

from heldout.engine.evidence.resolving import Evidence
from heldout.records import NotApplicable

TABLE = {
    "member": [0, 0, 1, 1], "step": [0, 4, 0, 8], "train-loss": [2.0, 1.0, 3.0, 0.5], "gradient-noise": [5.0, 6.0, 7.0, 8.0],
    "epoch": [0.0, 1.0, 0.0, 2.0],
}  # fmt: skip


def test_members_side_by_side() -> None:
    evidence = Evidence(cases.together([cases.mlp(0), cases.mlp(1)], history=TABLE))
    losses, noise = evidence["loss_history"], evidence["noise_history"]
    assert losses.steps.tolist() == [[0.0, 4.0, 8.0]] * 2
    nothing = torch.nan
    torch.testing.assert_close(
        losses.losses, torch.tensor([[2.0, 1.0, nothing], [3.0, nothing, 0.5]]).double(), equal_nan=True
    )
    torch.testing.assert_close(
        noise.noise, torch.tensor([[5.0, 6.0, nothing], [7.0, nothing, 8.0]]).double(), equal_nan=True
    )
    assert noise.epoch.tolist() == [4.0, 4.0]


def test_what_is_missing_is_said() -> None:
    with pytest.raises(NotApplicable, match="not known"):
        Evidence(cases.mlp().subject(history=None))["loss_history"]
    with pytest.raises(NotApplicable, match="squared-error"):
        Evidence(cases.regression().subject())["loss_history"]
    Evidence(cases.regression().subject())["noise_history"]  # noise is no matter of the loss
