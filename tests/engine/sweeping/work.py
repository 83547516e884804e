"""A small sweep, as a program that may be killed."""

import os
import sys
import time

import torch
from torch import nn

import heldout
from heldout.engine.sweeping import Sweep
from heldout.engine.training import Plan

DRAW = torch.Generator().manual_seed(0)
X = torch.randn(60, 5, generator=DRAW)
Y = (X[:, 0] * X[:, 1] > 0).long()
GRID = {"width": [3, 5, 8], "lr": [0.05, 0.5], "weight_decay": [0.0, 0.01], "batch_size": [20, 30]}


def network(width: int = 4) -> nn.Module:
    time.sleep(float(os.environ.get("SLOW", "0")))
    return nn.Sequential(nn.Linear(5, width), nn.ReLU(), nn.Linear(width, 2))


def run(store: str, **changes: object) -> Sweep:
    settings = {
        "recipe": heldout.Recipe(steps=30, check_every=10), "seeds": 2, "test": (X[:10], Y[:10]), "every": 15,
        "record": ("train-loss", "test-accuracy"), "plan": Plan(4, workers=1),
    }  # fmt: skip
    return heldout.sweep(GRID, network, (X, Y), store=store, **{**settings, **changes})  # type: ignore[arg-type]


if __name__ == "__main__":
    run(sys.argv[1])
