"""Training populations: the engine's own choice of plan against every plan, two eager loop processes, and the machine's peak.

``python benchmarks/population.py [CASE ...] [--seconds S]``. Every figure of a case is measured in turn, in rounds, in one
run; medians of the rounds are printed. Useful work is counted as six operations a weight and example (dense layers).
"""

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from heldout.datasets.digits import digits
from heldout.datasets.one_dimensional_digits import one_dimensional_digits
from heldout.engine.population import Population
from heldout.engine.training import Plan, Recipe
from heldout.engine.training.batches import Batches
from heldout.engine.training.choosing import chosen_plan
from heldout.engine.training.fit import prepared
from heldout.engine.training.stacks import Stacks

ROUNDS = 3


class Transformer(nn.Module):
    """One layer of attention and a feed-forward block over the rows of an image."""

    def __init__(self) -> None:
        super().__init__()
        self.embed, self.block = nn.Linear(8, 64), nn.TransformerEncoderLayer(64, 4, 128, 0.0, batch_first=True)
        self.read = nn.Linear(64, 10)

    def forward(self, x: Tensor) -> Tensor:
        """Rows in, logits out."""
        return self.read(self.block(self.embed(x.view(-1, 8, 8))).mean(1))


@dataclass(frozen=True)
class Case:
    """A line of the table."""

    make: Callable[[], nn.Module]
    members: int
    batch: int
    one_dimensional: bool = False
    goal: float = 1.0  # times the two loop processes


def dense(width: int) -> Callable[[], nn.Module]:
    """A network with one hidden layer on 8x8 images."""
    return lambda: nn.Sequential(nn.Flatten(), nn.Linear(64, width), nn.ReLU(), nn.Linear(width, 10))


def convolutional() -> nn.Module:
    """Two convolutions on 8x8 images."""
    return nn.Sequential(
        nn.Unflatten(1, (1, 8)), nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(128, 10),
    )  # fmt: skip


def one_dimensional() -> nn.Module:
    """Three strided convolutions of 25 channels on MNIST-1D."""
    return nn.Sequential(
        nn.Unflatten(1, (1, 40)), nn.Conv1d(1, 25, 5, 2, 1), nn.ReLU(), nn.Conv1d(25, 25, 3, 2, 1), nn.ReLU(),
        nn.Conv1d(25, 25, 3, 2, 1), nn.ReLU(), nn.Flatten(), nn.Linear(125, 10),
    )  # fmt: skip


CASES = {
    "dense, width 128, 64 members": Case(dense(128), 64, 64, goal=6),
    "dense, width 16, 512 members": Case(dense(16), 512, 64, goal=20),
    "dense, width 512, 64 members": Case(dense(512), 64, 64, goal=2.5),
    "convolutional on digits, 32 members": Case(convolutional, 32, 64),
    "convolutional on MNIST-1D, 32 members": Case(one_dimensional, 32, 100, one_dimensional=True),
    "transformer of one layer, 16 members": Case(Transformer, 16, 128),
}


def data_of(case: Case) -> tuple[Tensor, Tensor]:
    """Training data of a case."""
    if case.one_dimensional:
        return one_dimensional_digits(train_size=1000, test_size=10)[0]
    (x, y), _ = digits()
    return x.squeeze(1), y


def loop_worker(name: str, steps: int) -> None:
    """One process of the opponent: an eager loop of one thread, network after network; prints seconds a member and step."""
    torch.set_num_threads(1)
    case = CASES[name]
    x, y = data_of(case)
    torch.manual_seed(0)
    network = case.make()
    optimizer = torch.optim.SGD(network.parameters(), lr=0.05, momentum=0.9)
    order = torch.randperm(len(x))

    def step(number: int) -> None:
        index = order[(number * case.batch) % (len(x) - case.batch) :][: case.batch]
        optimizer.zero_grad()
        F.cross_entropy(network(x[index]), y[index]).backward()
        optimizer.step()

    for number in range(20):
        step(number)
    print("ready", flush=True)
    sys.stdin.readline()
    started = time.perf_counter()
    for number in range(steps):
        step(number)
    print((time.perf_counter() - started) / steps, flush=True)


def opponent(name: str, seconds: float) -> float:
    """Milliseconds a member and step of two loop processes side by side."""
    steps = max(20, int(seconds / 0.001))
    words = [sys.executable, __file__, "--worker", name, "--steps", str(steps)]
    both = [subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    for process in both:
        assert process.stdout is not None
        process.stdout.readline()
    for process in both:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    each = [float(process.communicate()[0].split()[-1]) for process in both]
    return 1000 / sum(1 / one for one in each)


def peak() -> float:
    """GFLOP/s of a 2048 x 2048 product in float32 with all threads."""
    a = torch.randn(2048, 2048)
    a @ a
    started = time.perf_counter()
    for _ in range(4):
        a @ a
    return 4 * 2 * 2048**3 / (time.perf_counter() - started) / 1e9


def weights_of(module: nn.Module) -> int:
    """Weights of dense layers; 0 where other layers do most of the work."""
    kinds = [type(layer) for layer in module.modules()]
    dense_only = not any(issubclass(kind, nn.Conv1d | nn.Conv2d | nn.MultiheadAttention) for kind in kinds)
    return sum(layer.weight.numel() for layer in module.modules() if isinstance(layer, nn.Linear)) if dense_only else 0


def run(name: str, seconds: float) -> None:
    """Print the table of one case."""
    case = CASES[name]
    threads = torch.get_num_threads()
    population = Population.of(case.make, case.members)
    recipe = Recipe(lr=0.05, batch_size=case.batch, steps=20_000)
    numbers = list(range(case.members))
    examples, loss = prepared(population, data_of(case), recipe, 0, numbers)
    batches = Batches.of(recipe, len(examples), 0)
    chosen = chosen_plan(population, examples, loss, recipe, batches, 0, numbers)
    m, half = case.members, case.members // 2
    plans = {
        "one stack": Plan(m, 1, threads),
        "two stacks": Plan(half, 2),
        "stacks of 8": Plan(8, 2),
        "one by one": Plan(1, 2, mapped=False),
        "one stack, compiled": Plan(m, 1, threads, compiled=True),
        "two stacks, compiled": Plan(half, 2, compiled=True),
        "stacks of 32, compiled": Plan(min(32, half), 2, compiled=True),
        "stacks of 8, compiled": Plan(8, 2, compiled=True),
        "CHOSEN": chosen,
    }
    stacks = {key: Stacks(population, examples, loss, recipe, batches, 0, numbers, plan) for key, plan in plans.items()}
    taken: dict[str, list[float]] = {key: [] for key in [*plans, "two loop processes"]}
    peaks = []
    for one in stacks.values():
        one.advance(0, 2)
    for number in range(ROUNDS):
        peaks.append(peak())
        taken["two loop processes"].append(opponent(name, seconds))
        for key, one in stacks.items():
            steps = 3 if number == 0 else max(3, int(seconds * 1000 / taken[key][0] / m))
            started = time.perf_counter()
            one.advance(2, 2 + steps)
            taken[key].append((time.perf_counter() - started) * 1000 / steps / m)
    for one in stacks.values():
        one.__exit__(None, None, None)
    medians = {key: statistics.median(values) for key, values in taken.items()}
    best = min(medians[key] for key in plans)
    work = 6 * case.batch * weights_of(case.make()) / 1e6  # MFLOP a member and step
    print(f"\n{name} (batch {case.batch}), peak {statistics.median(peaks):.0f} GFLOP/s")
    for key, value in sorted(medians.items(), key=lambda pair: pair[1]):
        share = f", {work / value / statistics.median(peaks):.0%} of peak" if work else ""
        print(
            f"  {key:24s} {value:8.4f} ms a member and step, {medians['two loop processes'] / value:5.1f} x the loops{share}"
        )
    print(
        f"  chosen: {chosen}; {medians['CHOSEN'] / best - 1:+.0%} of the best; goal {case.goal:g} x the loops",
        flush=True,
    )


if __name__ == "__main__":
    reader = argparse.ArgumentParser()
    reader.add_argument("cases", nargs="*", default=[])
    reader.add_argument("--seconds", type=float, default=1.0)
    reader.add_argument("--worker", default="")
    reader.add_argument("--steps", type=int, default=100)
    given = reader.parse_args()
    if given.worker:
        loop_worker(given.worker, given.steps)
    else:
        for each in [name for name in CASES if not given.cases or any(word in name for word in given.cases)]:
            run(each, given.seconds)
