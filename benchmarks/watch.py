"""What a watch costs: two trainings of one network in turns of a twentieth of a second, one of them watched.

Prints a table by network and budget, each measured in a process of its own: the share of training time that the watch measured of
itself, the ratio of the two trainings' times, how often three groups were read, and the peak memory that the watch added.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from typing import Any

import torch
from torch import nn

NETWORKS = ("mlp", "cnn", "transformer")
BUDGETS = (0.01, 0.05, 0.2)


class Encoder(nn.Module):
    """A small transformer over 32 tokens."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(64, 64)
        self.layers = nn.TransformerEncoder(nn.TransformerEncoderLayer(64, 4, 128, 0.1, batch_first=True), 2)
        self.head = nn.Linear(64, 10)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Scores of ten classes."""
        return self.head(self.layers(self.embedding(tokens)).mean(1))


def made(name: str) -> tuple[nn.Module, torch.Tensor, torch.Tensor]:
    """A network with 4,000 examples of ten classes."""
    drawn = torch.Generator().manual_seed(0)
    y = torch.randint(10, (4000,), generator=drawn)
    torch.manual_seed(0)
    if name == "transformer":
        return Encoder(), (torch.randint(64, (4000, 32), generator=drawn) // 2 + 3 * y[:, None]) % 64, y
    if name == "cnn":
        x = torch.randn(4000, 3, 16, 16, generator=drawn) + 0.05 * y[:, None, None, None]
        return (
            nn.Sequential(
                nn.Conv2d(3, 16, 3),
                nn.BatchNorm2d(16),
                nn.ReLU(),
                nn.Conv2d(16, 32, 3, 2),
                nn.ReLU(),
                nn.Flatten(),
                nn.Linear(1152, 10),
            ),
            x,
            y,
        )
    return (
        nn.Sequential(nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU(), nn.Linear(256, 10)),
        (torch.randn(4000, 64, generator=drawn) + 0.2 * y[:, None]),
        y,
    )


def peak() -> float:
    """Peak resident memory of this process, MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


class Loop:
    """A training that can be taken further a few steps at a time."""

    def __init__(self, name: str) -> None:
        self.network, self.x, self.y = made(name)
        self.optimizer = torch.optim.SGD(self.network.parameters(), lr=0.01, momentum=0.9)
        self.drawn = torch.Generator().manual_seed(1)

    def go(self, steps: int, watch: Any) -> float:
        """Seconds that some steps take."""
        begun = time.perf_counter()
        for _ in range(steps):
            few = torch.randint(3000, (64,), generator=self.drawn)
            self.optimizer.zero_grad()
            loss = nn.functional.cross_entropy(self.network(self.x[few]), self.y[few])
            loss.backward()
            self.optimizer.step()
            if watch is not None:
                watch.step(loss)
        return time.perf_counter() - begun


def measured(name: str, budget: float, seconds: float) -> dict[str, float]:
    """Two trainings of the same network in turns of a few steps, one of them watched."""
    torch.set_num_threads(1)
    before = peak()
    import heldout
    from heldout.catalog import units

    units("measure")
    heldout.Watch  # noqa: B018  the import is what is measured
    imported = peak()
    bare, watched = Loop(name), Loop(name)
    bare.go(20, None)
    watched.go(20, None)
    plain = peak()
    data = (watched.x[:3000], watched.y[:3000]), (watched.x[3000:], watched.y[3000:])
    watch = heldout.Watch(watched.network, *data, budget=budget)
    watch.begin()
    steps = max(1, int(0.05 / (bare.go(20, None) / 20)))
    without, within = [], []
    while sum(without) < seconds:
        without.append(bare.go(steps, None))
        running = watch._running  # its clock stands still while the other one trains
        running.begun, running._not_before = running.begun + without[-1], running._not_before + without[-1]
        within.append(watched.go(steps, watch))
    cost = watch.overhead
    watch.finish()
    table = watch.table
    counts = {key: len(table[table.name == key]) for key in ("train-loss", "gradient-noise", "random-label-probe")}
    return {
        "ratio": sum(within) / sum(without), "share": cost["share"], "spent": cost["spent"], "setup": cost["setup"],
        "imports": imported - before, "memory": peak() - plain, **counts,
    }  # fmt: skip


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=30.0, help="of each training without a watch")
    parser.add_argument("--one", nargs=2, help="network and budget, in this process")
    asked = parser.parse_args()
    if asked.one:
        print(json.dumps(measured(asked.one[0], float(asked.one[1]), asked.seconds)))
        return
    print(
        "| network | budget | measured share | time with / without | losses, gradients, noise read | set-up, s | added memory, MiB |"
    )
    print("|---|---|---|---|---|---|---|")
    for name in NETWORKS:
        for budget in BUDGETS:
            command = [sys.executable, __file__, "--seconds", str(asked.seconds), "--one", name, str(budget)]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            row = json.loads(done.stdout.splitlines()[-1])
            counts = ", ".join(str(row[key]) for key in ("train-loss", "gradient-noise", "random-label-probe"))
            print(
                f"| {name} | {budget:.2f} | {row['share']:.3f} | {row['ratio']:.3f} | {counts} | {row['setup']:.2f} "
                f"| {row['memory']:.0f} |", flush=True,
            )  # fmt: skip


if __name__ == "__main__":
    main()
