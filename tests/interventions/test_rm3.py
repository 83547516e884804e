"""The median of three gradients."""

import numpy as np
import torch
import torch.nn.functional as F
from tests.interventions.steps import X, Y, close, first_step, goes_through, gradients

from heldout.interventions.rm3 import rm3


def test_a_step_is_the_median_over_thirds() -> None:
    network, moved = first_step(rm3())
    parts = [gradients(F.cross_entropy(network(x), y), network) for x, y in zip(X.chunk(3), Y.chunk(3), strict=True)]
    close(moved, {n: torch.from_numpy(np.median([part[n].numpy() for part in parts], axis=0)) for n in moved})


def test_it_goes_through() -> None:
    goes_through(rm3())
