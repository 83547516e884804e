"""A learning curve from trainings on parts of the data."""

import numpy as np
import torch
from torch import nn

from heldout import Recipe
from heldout.engine.training import Plan
from heldout.verbs.learning_curve import learning_curve

PLAN = Plan(2)


def factory() -> nn.Module:
    return nn.Linear(20, 2)


def data(count: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    draw = torch.Generator().manual_seed(seed)
    x = torch.randn(count, 20, generator=draw)
    return x, (x.sum(1) + 3 * torch.randn(count, generator=draw) > 0).long()


def test_more_data_bring_less_error_and_the_curve_is_continued() -> None:
    recipe = Recipe(optimizer="adam", lr=0.03, steps=60, batch_size=None)
    found = learning_curve(
        factory, data(320, 0), recipe, test=data(1000, 1), trainings=2, seed=3, target=1280, confidence=0.8, plan=PLAN
    )
    assert found.sizes == (20, 40, 80, 160, 320)
    assert found.errors.shape == (5, 2)
    means = found.errors.mean(1)
    assert means[0] > means[-1] + 0.03
    assert np.ptp(found.errors, axis=1).max() > 0  # trainings of one size see different parts
    assert found.more.target == 1280
    assert found.more.confidence == 0.8
    assert found.more.value is not None
    assert found.more.value < means[1]
    again = learning_curve(
        factory, data(320, 0), recipe, test=data(1000, 1), sizes=[40, 80, 160, 320], trainings=2, seed=3, plan=PLAN
    )
    assert again.more.target == 640
    assert (again.errors == found.errors[1:]).all()  # what the store holds is not trained again
