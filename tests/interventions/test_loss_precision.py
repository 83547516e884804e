"""Loss in another precision."""

import pytest
import torch
from tests.interventions.steps import goes_through

from heldout.interventions.loss_precision import loss_precision
from heldout.records import Refusal


@pytest.mark.parametrize(("precision", "gap"), [("float16", 7.7), ("float32", 16.7), ("float64", 36.8)])
def test_softmax_collapses_where_the_precision_ends(precision: str, gap: float) -> None:
    """One is lost in 1 + exp(-gap) when exp(-gap) is at most half a unit in the last place: ln 2^11, 2^24, 2^53."""
    piece = loss_precision(precision=precision)
    for logit, absorbed in ((gap, True), (gap - 0.2, False)):
        z = torch.tensor([[logit, 0.0]], dtype=torch.float64)
        assert (float(piece.losses(z, torch.tensor([0]), z[:, 0], z[0, 0])) == 0) is absorbed


def test_it_goes_through() -> None:
    goes_through(loss_precision(precision="bfloat16"), compiled=False)  # the compiler may keep more digits


def test_an_unknown_precision_is_refused() -> None:
    with pytest.raises(Refusal, match="float8"):
        loss_precision(precision="float8")
