"""Sizes of chains, counted by hand."""

import pytest
import torch
from tests import cases
from torch import nn

from heldout.engine.evidence.resolving import Evidence
from heldout.engine.subject import Examples, Subject
from heldout.records import NotApplicable

DRAW = torch.Generator().manual_seed(0)


def test_convolutions_and_a_dense_layer() -> None:
    network = nn.Sequential(
        nn.Conv2d(3, 4, (3, 5)), nn.ReLU(), nn.Conv2d(4, 6, 2, groups=2), nn.Flatten(), nn.Linear(6 * 5 * 3, 7)
    )
    found = Evidence(Subject(network, (torch.randn(4, 3, 8, 8, generator=DRAW), torch.arange(4))))["geometry"]
    assert found.kernels == pytest.approx((15**0.5, 2.0, 1.0))
    assert found.channels == (4, 6, 7)
    assert found.entries == (3 * 4 * 15, 2 * 6 * 4, 90 * 7)
    assert found.side == pytest.approx(8.0)


def test_a_picture_that_is_not_square_and_a_signal() -> None:
    wide = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(2 * 2 * 7, 2))
    assert Evidence(Subject(wide, (torch.randn(4, 1, 4, 9, generator=DRAW), torch.arange(4) % 2)))[
        "geometry"
    ].side == pytest.approx(6.0)
    signal = nn.Sequential(nn.Conv1d(1, 2, 9), nn.Flatten(), nn.Linear(2 * 8, 2))
    found = Evidence(Subject(signal, (torch.randn(4, 1, 16, generator=DRAW), torch.arange(4) % 2)))["geometry"]
    assert found.side == pytest.approx(4.0)
    assert found.kernels == pytest.approx((3.0, 1.0))


def test_a_dense_network_sees_one_pixel_and_batch_norms_are_folded() -> None:
    assert Evidence(cases.mlp().subject())["geometry"] == ((1.0, 1.0, 1.0), (16, 12, 3), (128, 192, 36), 1.0)
    assert len(Evidence(cases.cnn().subject())["geometry"].kernels) == 3


def test_the_longest_input_of_each_member() -> None:
    case = cases.mlp()
    x = torch.stack([case.train[0], 3 * case.train[0]])
    found = Evidence(Subject([case.network] * 2, Examples(x, case.train[1], x_per_member=True)))["input_radius"]
    longest = case.train[0].double().norm(dim=1).max()
    torch.testing.assert_close(found, torch.stack([longest, 3 * longest]), rtol=1e-6, atol=0)
    shared = Evidence(Subject([case.network] * 2, case.train))["input_radius"]
    torch.testing.assert_close(shared, longest.expand(2), rtol=1e-12, atol=0)


def test_what_is_no_chain_has_none() -> None:
    for name in ("geometry", "input_radius"):
        with pytest.raises(NotApplicable, match="Transformer"):
            Evidence(cases.transformer().subject())[name]
