"""What a watch costs: the same training with and without it, turn by turn, each in a process of its own.

Prints a table of the measured share of training time, of the wall-clock ratio and of the added memory, by network and budget.
"""

import argparse
import json
import resource
import subprocess
import sys
import time

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
        return nn.Sequential(
            nn.Conv2d(3, 16, 3), nn.BatchNorm2d(16), nn.ReLU(), nn.Conv2d(16, 32, 3, 2), nn.ReLU(), nn.Flatten(), nn.Linear(1152, 10)
        ), x, y
    return nn.Sequential(nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU(), nn.Linear(256, 10)), (
        torch.randn(4000, 64, generator=drawn) + 0.2 * y[:, None]
    ), y


def trained(name: str, steps: int, budget: float) -> dict[str, float]:
    """A training; a budget of 0 is one without a watch."""
    torch.set_num_threads(1)
    network, x, y = made(name)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9)
    watch = None
    if budget:
        import heldout

        watch = heldout.Watch(network, (x[:3000], y[:3000]), (x[3000:], y[3000:]), budget=budget)
        watch.begin()
    begun = time.perf_counter()
    for _ in range(steps):
        few = torch.randint(3000, (64,))
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(network(x[few]), y[few])
        loss.backward()
        optimizer.step()
        if watch:
            watch.step(loss)
    seconds = time.perf_counter() - begun
    found = {"seconds": seconds, "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}
    if watch:
        watch.finish()
        table = watch.table
        cost = watch.overhead
        found |= {"share": cost["share"], "setup": cost["setup"], "readings": len(table[table.name == "train-loss"]),
                  "rest": len(set(table.name)), "spent": cost["spent"]}  # fmt: skip
    return found


def once(name: str, steps: int, budget: float) -> dict[str, float]:
    """The same in a process of its own."""
    done = subprocess.run(
        [sys.executable, __file__, "--one", name, str(steps), str(budget)], capture_output=True, text=True, check=True
    )
    return dict(json.loads(done.stdout.splitlines()[-1]))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=20.0, help="of each training without a watch")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--one", nargs=3)
    asked = parser.parse_args()
    if asked.one:
        print(json.dumps(trained(asked.one[0], int(asked.one[1]), float(asked.one[2]))))
        return
    print("| network | budget | measured share | wall-clock ratio | readings of losses | set-up, s | added memory, MiB |")
    print("|---|---|---|---|---|---|---|")
    for name in NETWORKS:
        trial = once(name, 200, 0.0)
        steps = int(200 * asked.seconds / trial["seconds"])
        turns = [[once(name, steps, budget) for budget in (0.0, *BUDGETS)] for _ in range(asked.turns)]
        for place, budget in enumerate(BUDGETS, 1):
            middle = asked.turns // 2
            ratio = sorted(turn[place]["seconds"] / turn[0]["seconds"] for turn in turns)[middle]
            share, setup, memory = (
                sorted(turn[place][key] for turn in turns)[middle] for key in ("share", "setup", "memory")
            )
            extra = memory - sorted(turn[0]["memory"] for turn in turns)[middle]
            read = int(turns[0][place]["readings"])
            print(f"| {name} | {budget:.2f} | {share:.3f} | {ratio:.3f} | {read} | {setup:.2f} | {extra:.0f} |", flush=True)


if __name__ == "__main__":
    main()
