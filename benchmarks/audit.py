"""The audit of 64 networks as one population against 64 audits of one network, interleaved in one run.

Run: ``python benchmarks/audit.py [--members 64] [--repeats 3] [--threads 1]``. Ratios are printed; absolute times move from
machine to machine. Goal: at most a quarter.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import torch
from torch import nn

import heldout
from heldout.datasets.digits import digits
from heldout.engine.population import Population
from heldout.engine.subject import Examples
from heldout.engine.training import Recipe, fit
from heldout.networks.small_convolutional import small_convolutional


def mlp() -> nn.Module:
    """The usual small network for 8x8 images.

    Returns:
        Untrained.
    """
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))


def compare(name: str, make: Callable[[], nn.Module], members: int, repeats: int) -> None:
    """Print the ratio of one population audit to ``members`` single audits.

    Args:
        name: Of the architecture.
        make: Gives an untrained network.
        members: How many.
        repeats: Interleaved pairs.
    """
    (x, y), test = digits(train_size=500)
    initial = Population.of(make, members)
    trained = fit(initial, Examples(x, y), Recipe(batch_size=100, steps=4000, stop="loss")).final
    networks, untrained = ([part.member(i) for i in range(members)] for part in (trained, initial))
    ratios, passes = [], None
    for _ in range(repeats):
        start = time.perf_counter()
        together = heldout.audit(heldout.Subject(networks, (x, y), test, initial=untrained), progress=False)
        middle = time.perf_counter()
        for network, before in zip(networks, untrained, strict=True):
            alone = heldout.audit(heldout.Subject(network, (x, y), test, initial=before), progress=False)
            passes = alone.passes
        ratios.append((middle - start) / (time.perf_counter() - middle))
        print(
            f"  {name}: population {middle - start:.1f} s, singles {time.perf_counter() - middle:.1f} s, ratio {ratios[-1]:.3f}"
        )
        assert set(together.readings) == set(alone.readings)
    print(
        f"{name} x {members}: median ratio {statistics.median(ratios):.3f} (goal: at most 0.25); one audit spent {passes}"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--members", type=int, default=64)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    compare("mlp", mlp, chosen.members, chosen.repeats)
    compare("batch-norm cnn", lambda: small_convolutional(channels=8), chosen.members, chosen.repeats)
