"""Label smoothing."""

import pytest
import torch.nn.functional as F
from tests.interventions.steps import X, Y, close, first_step, goes_through, gradients

from heldout.interventions.label_smoothing import label_smoothing
from heldout.records import Refusal


def test_a_step_is_that_of_torch_s_smoothing() -> None:
    network, moved = first_step(label_smoothing(share=0.3))
    close(moved, gradients(F.cross_entropy(network(X), Y, label_smoothing=0.3), network))


def test_it_goes_through() -> None:
    goes_through(label_smoothing(share=0.2))


def test_a_share_of_one_is_refused() -> None:
    with pytest.raises(Refusal, match="share"):
        label_smoothing(share=1.0)
