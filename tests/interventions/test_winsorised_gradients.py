"""Winsorised gradients."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy.stats.mstats import winsorize
from tests.interventions.steps import X, Y, close, first_step, goes_through, gradients

from heldout.interventions.winsorised_gradients import winsorised_gradients
from heldout.records import Refusal


@pytest.mark.parametrize(("level", "groups"), [(3, 0), (1, 6), (0, 4), (14, 0)])
def test_a_step_follows_scipy_s_winsorised_mean(level: int, groups: int) -> None:
    network, moved = first_step(winsorised_gradients(level=level, groups=groups))
    count = groups or len(X)
    parts = [
        gradients(F.cross_entropy(network(x), y), network) for x, y in zip(X.chunk(count), Y.chunk(count), strict=True)
    ]
    expected = {}
    for name in moved:
        stack = np.stack([part[name].numpy() for part in parts])
        drawn = winsorize(stack, limits=(level / count, level / count), axis=0)
        expected[name] = torch.from_numpy(np.asarray(drawn).mean(0))
    close(moved, expected)


def test_it_goes_through() -> None:
    goes_through(winsorised_gradients(level=2))


@pytest.mark.parametrize(("level", "groups"), [(-1, 0), (2, 4)])
def test_levels_that_leave_nothing_are_refused(level: int, groups: int) -> None:
    with pytest.raises(Refusal, match="level"):
        winsorised_gradients(level=level, groups=groups)
