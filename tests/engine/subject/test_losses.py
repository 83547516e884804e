"""Losses against their formulas, and losses of one's own."""

import pytest
import torch
from tests.engine.subject.test_subject import X, Y, net
from torch import Tensor

from heldout.engine.subject import Subject
from heldout.engine.subject.losses import loss_named
from heldout.records import Refusal


def test_losses_against_their_formulas() -> None:
    z, t = torch.randn(5, 3, dtype=torch.float64), torch.tensor([0, 2, 1, 1, 0])
    expected = torch.stack([torch.log(torch.exp(row - row[label]).sum()) for row, label in zip(z, t, strict=True)])
    torch.testing.assert_close(loss_named("cross-entropy", t).per_example(z, t), expected)
    logit, bit = z[:, :1], (t > 0).long()
    expected = torch.where(bit == 1, torch.log1p(torch.exp(-logit[:, 0])), torch.log1p(torch.exp(logit[:, 0])))
    torch.testing.assert_close(loss_named("binary-cross-entropy", bit).per_example(logit, bit), expected)
    square = loss_named("squared-error", z).per_example
    torch.testing.assert_close(square(z, z + 2), torch.full((5,), 4.0, dtype=torch.float64))
    torch.testing.assert_close(square(logit, logit[:, 0] - 3), torch.full((5,), 9.0, dtype=torch.float64))


def test_a_loss_of_ones_own_tells_its_task_from_the_labels() -> None:
    def absolute(outputs: Tensor, labels: Tensor) -> Tensor:
        return (outputs[:, 0] - labels).abs()

    regression = Subject(net(outputs=1), (X, X[:, 0]), loss=absolute)
    assert (regression.loss.name, regression.loss.task, regression.classes) == ("absolute", "regression", None)
    assert Subject(net(), (X, Y), loss=absolute).loss.task == "classification"
    with pytest.raises(Refusal, match=r"the loss gave shape .* for 4 examples; expected one loss an example"):
        loss_named(lambda outputs, labels: outputs.mean(), Y).per_example(torch.zeros(4, 2), Y)
