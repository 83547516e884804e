"""What the axes of inputs mean."""

import pytest
import torch
from tests import cases
from torch import nn

from heldout.engine.evidence.layouts import can_be_transformed, is_picture, layout_of
from heldout.engine.subject import Examples, Subject
from heldout.records import NotApplicable


class Signal(nn.Module):
    """A convolution over time that adds the channel itself where there is none."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.head = nn.Conv1d(1, 3, 3), nn.Linear(3, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.one(x if x.ndim == 3 else x.unsqueeze(1)).mean(-1))


def subject(network: nn.Module, *shape: int, per_member: bool = False) -> Subject:
    x = torch.linspace(-1.0, 3.0, 6 * torch.Size(shape).numel()).reshape(6, *shape)
    y = torch.tensor([0, 1] * 3)
    return Subject(network, Examples(x.unsqueeze(0), y, x_per_member=True) if per_member else (x, y))


@pytest.mark.parametrize("per_member", [False, True])
@pytest.mark.parametrize(("network", "shape", "picture", "along"), [
    (nn.Sequential(nn.Conv2d(3, 2, 3), nn.Flatten(), nn.Linear(2 * 36, 2)), (3, 8, 8), True, -1),
    (nn.Sequential(nn.Flatten(), nn.Linear(64, 2)), (8, 8), True, -1),
    (nn.Sequential(nn.Flatten(), nn.Linear(64, 2)), (1, 8, 8), True, -1),
    (nn.Sequential(nn.Unflatten(1, (1, 8)), nn.Conv2d(1, 2, 8), nn.Flatten()), (8, 8), True, -1),
    (Signal(), (20,), False, -1),
    (Signal(), (1, 20), False, -1),
    (nn.Sequential(nn.Linear(4, 3), nn.Flatten(), nn.Linear(15, 2)), (5, 4), False, -2),
])  # fmt: skip
def test_pictures_and_signals(
    network: nn.Module, shape: tuple[int, ...], picture: bool, along: int, per_member: bool
) -> None:
    found = layout_of(subject(network, *shape, per_member=per_member))
    assert (found.picture, found.rank, found.along) == (picture, len(shape), along)
    assert (found.low, found.span) == (-1.0, 4.0)


def test_what_is_neither_says_why() -> None:
    with pytest.raises(NotApplicable, match="rows of a table"):
        can_be_transformed(cases.mlp().subject())
    with pytest.raises(NotApplicable, match="no single tensor"):
        can_be_transformed(cases.token_transformer().subject())
    with pytest.raises(NotApplicable, match="regression"):
        can_be_transformed(cases.regression().subject())
    with pytest.raises(NotApplicable, match="signals, not pictures"):
        is_picture(cases.lstm().subject())
    is_picture(cases.cnn().subject())
