"""A training in a process of its own: least squares by gradient descent, its readings kept as it goes, until a file says stop."""

import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from heldout.engine.store import Store
from heldout.engine.store.trajectories import begin_trajectory, finish_trajectory, keep_step


def row(step: int, name: str, value: float, began: float) -> dict[str, Any]:
    empty = {"low": None, "high": None, "standard_error": None, "unit": "", "direction": "", "reason": "", "family": ""}
    seconds = time.monotonic() - began
    return {**empty, "step": step, "member": 0, "name": name, "value": value, "status": "ok", "seconds": seconds}


def train(store: Store, stop: Path, name: str) -> None:
    draws, began = np.random.default_rng(0), time.monotonic()
    x, truth = draws.normal(size=(60, 20)), draws.normal(size=20)
    y, weights = x @ truth + draws.normal(size=60), np.zeros(20)
    about = {
        "kind": "watch",
        "name": name,
        "network": "linear",
        "parameters": 20,
        "train": 40,
        "validation": 20,
    }
    run = begin_trajectory(store, {**about, "steps": 10_000, "budget": 0.05, "started": "2026-01-31T23:59:59+00:00"})
    print(run, flush=True)
    step = 0
    while not stop.exists():
        residual = x @ weights - y
        losses = {
            "train-loss": float((residual[:40] ** 2).mean()),
            "validation-loss": float((residual[40:] ** 2).mean()),
        }
        if step >= 100:  # a reading that comes later: the page had no figure for it
            losses["param-norm"] = float(weights @ weights)
        keep_step(store, run, step, [row(step, name, value, began) for name, value in losses.items()])
        for _ in range(10):
            weights -= 0.002 * x[:40].T @ (x[:40] @ weights - y[:40]) / 40
        step += 10
        time.sleep(0.05)
    finish_trajectory(store, run, {"steps": step, "reason": "told to end", "seconds": time.monotonic() - began}, b"")


if __name__ == "__main__":
    train(Store(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
