"""Addresses by content: what decides the rows changes them, and nothing else does."""

import json
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from heldout.engine.sweeping.identities import content_of, described
from heldout.engine.training import Recipe
from heldout.interventions.augmentation import augmentation
from heldout.interventions.pruning_mask import pruning_mask


def scaled(factor: float) -> Callable[[Tensor, Tensor], Tensor]:
    return lambda x, draws: x * factor


def other(x: Tensor, draws: Tensor) -> Tensor:
    return x + 1


LONG = torch.ones(3, 5000)
CHANGED = LONG.clone()
CHANGED[1, 2500] = 0  # in the part that a printed tensor leaves out


@pytest.mark.parametrize(
    ("one", "two"),
    [
        (pruning_mask(masks={"w": LONG}), pruning_mask(masks={"w": CHANGED})),
        (augmentation(transform=scaled(2.0)), augmentation(transform=scaled(3.0))),
        (augmentation(transform=scaled(2.0)), augmentation(transform=other)),
        (augmentation(shift=1), augmentation(shift=2)),
        (partial(other, draws=1), partial(other, draws=2)),
        (nn.CrossEntropyLoss(weight=torch.tensor([1.0, 2.0])), nn.CrossEntropyLoss(weight=torch.tensor([1.0, 3.0]))),
        (nn.HuberLoss, nn.MSELoss),
        (sum, max),
    ],
)
def test_what_differs_has_another_address(one: Any, two: Any) -> None:
    assert json.dumps(content_of(one)) != json.dumps(content_of(two))
    assert json.dumps(content_of(one)) == json.dumps(content_of(one))


def test_equal_settings_have_one_address_in_every_process() -> None:
    recipe = "Recipe(interventions=(augmentation(transform=torch.relu, shift=1), pruning_mask(masks={'w': torch.ones(3, 5000)})))"
    code = (
        "import json, torch; from heldout import Recipe; from heldout.engine.sweeping.identities import described;"
        "from heldout.interventions.augmentation import augmentation; from heldout.interventions.pruning_mask import pruning_mask;"
        f"print(json.dumps(described({recipe})))"
    )
    told = [
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout for _ in "ab"
    ]
    assert told[0] == told[1]
    own = described(
        Recipe(interventions=(augmentation(transform=torch.relu, shift=1), pruning_mask(masks={"w": LONG})))
    )
    assert json.loads(told[0]) == json.loads(json.dumps(own))
