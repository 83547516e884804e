"""When members stop, told from losses and errors made by hand."""

import pytest
import torch

from heldout.engine.training import Recipe
from heldout.engine.training.stopping import Stopping


def stopped_at(losses: list[float], wrong: list[int], **fields: object) -> tuple[int, str]:
    """The number of the check at which one member stopped, and why."""
    stopping = Stopping.of(Recipe().but(**fields), 1)
    for number, (loss, errors) in enumerate(zip(losses, wrong, strict=True)):
        if stopping.active:
            stopping.check([0], torch.tensor([loss], dtype=torch.float64), torch.tensor([errors]), number)
    return int(stopping.step[0]), stopping.reason[0]


@pytest.mark.parametrize("shift", [0.0, -10.0])
def test_a_plateau_is_no_loss_one_percent_below_the_best(shift: float) -> None:
    falling = [shift + 4.0 - 0.2 * number for number in range(6)]  # each more than 1 % below the one before it
    assert stopped_at([*falling, *[falling[-1]] * 6], [1] * 12, stop="plateau", patience=3) == (8, "plateau")
    assert stopped_at(falling, [1] * 6, stop="plateau", patience=1) == (-1, "steps")


def test_several_criteria_must_hold_together() -> None:
    assert stopped_at([1.0, 0.4, 0.4], [0, 3, 0], stop=("loss", "fit"), target_loss=0.5) == (2, "loss+fit")
    assert stopped_at([1.0, 0.5, 0.4], [0, 3, 0], stop="loss", target_loss=0.5) == (1, "loss")
    assert stopped_at([1.0, 0.4], [2, 0], stop="fit") == (1, "fit")
