"""Speed and memory of sampling, beside devinterp 1.3.2 and beside matrix products batched by hand.

``python benchmarks/posterior_speed.py --devinterp /path/to/its/python``. The network is the perceptron 64-64-64-10 of
``posterior_networks.py``, the batch 256, the localisation 100. Steps: the three in turn, round after round, medians of the process's
CPU time. Error: CPU seconds until the learning coefficient is known to 5 and to 2 %, bias included; of devinterp at each of a few
step sizes, by the bias and the correlation of long traces. Memory: the peak above what is there before sampling.
"""

import argparse
import json
import math
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from benchmarks.posterior_networks import GAMMA, NBETA, digits, trained
from torch import Tensor, nn

import heldout
from heldout.engine.sampling import NetworkField, Target
from heldout.engine.sampling.convergence import effective_size
from heldout.engine.sampling.langevin import Sgld
from heldout.engine.sampling.randomness import Streams

NAME, BATCH, EPSILON = "perceptron 64-64-64-10", 256, 1e-4
#: What runs in the other environment: one request a line on its input, one answer a line on its output.
PEER = """
import json, sys, time, warnings
warnings.simplefilter("ignore")
import torch
from devinterp.optim.sgld import SGLD
from devinterp.slt.sampler import estimate_learning_coeff_with_summary as estimate
torch.set_num_threads(1)
data = torch.load(sys.argv[1])
network = torch.nn.Sequential(
    torch.nn.Linear(64, 64), torch.nn.ReLU(), torch.nn.Linear(64, 64), torch.nn.ReLU(), torch.nn.Linear(64, 10)
)
network.load_state_dict(data["state"])
examples = torch.utils.data.TensorDataset(data["x"], data["y"])
for line in sys.stdin:
    asked = json.loads(line)
    loader = torch.utils.data.DataLoader(examples, batch_size=asked["batch"], shuffle=True)
    start = time.process_time()
    found = estimate(
        network, loader, evaluate=lambda model, batch: torch.nn.functional.cross_entropy(model(batch[0]), batch[1]),
        sampling_method=SGLD, init_loss=asked["centre"], num_draws=asked["draws"], num_chains=asked["chains"],
        optimizer_kwargs={"lr": asked["epsilon"], "localization": asked["gamma"], "nbeta": asked["nbeta"]},
        seed=list(range(asked["chains"])), verbose=False,
    )
    seconds = time.process_time() - start
    print(json.dumps({"seconds": seconds, "trace": found["loss/trace"].tolist()}), flush=True)
"""


class Peer:
    """devinterp in a process of its own."""

    def __init__(self, python: str, network: nn.Module, folder: str) -> None:
        x, y = digits()
        torch.save({"state": network.state_dict(), "x": x, "y": y}, f"{folder}/digits.pt")
        self.centre = float(nn.functional.cross_entropy(network(x), y).detach())
        self.process = subprocess.Popen(
            [python, "-c", PEER, f"{folder}/digits.pt"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __call__(self, chains: int, draws: int, epsilon: float = EPSILON) -> tuple[float, np.ndarray]:
        """CPU seconds, and minibatch losses ``[chains, draws]``."""
        assert self.process.stdin is not None and self.process.stdout is not None  # noqa: PT018
        asked = {"chains": chains, "draws": draws, "epsilon": epsilon, "gamma": GAMMA, "nbeta": NBETA, "batch": BATCH}
        self.process.stdin.write(json.dumps({**asked, "centre": self.centre}) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        return answer["seconds"], np.array(answer["trace"])


def by_hand(network: nn.Module, chains: int) -> Callable[[int], float]:
    """SGLD of this one network with forward and backward written out, float32 throughout: seconds of so many steps."""
    x, y = digits()
    flat = torch.cat([each.detach().flatten() for each in network.parameters()])
    centre, generator = flat.expand(chains, -1).clone(), torch.Generator().manual_seed(0)
    w, slope = centre.clone(), torch.empty_like(centre)
    edges = (0, 4096, 4160, 8256, 8320, 8960, 8970)
    shapes = ((64, 64), (1, 64), (64, 64), (1, 64), (10, 64), (1, 10))
    (w1, b1, w2, b2, w3, b3), (s1, t1, s2, t2, s3, t3) = (
        [rows[:, a:b].view(chains, *s) for a, b, s in zip(edges[:-1], edges[1:], shapes, strict=True)]
        for rows in (w, slope)
    )
    minus = torch.full((chains, BATCH, 1), -1.0)

    def step() -> Tensor:
        index = torch.randint(len(x), (chains, BATCH), generator=generator)
        some, labels = x[index], y[index][:, :, None]
        one = torch.baddbmm(b1, some, w1.transpose(1, 2)).relu_()
        two = torch.baddbmm(b2, one, w2.transpose(1, 2)).relu_()
        logs = torch.baddbmm(b3, two, w3.transpose(1, 2)).log_softmax(2)
        losses = -logs.gather(2, labels).mean((1, 2))
        back = logs.exp_().scatter_add_(2, labels, minus).div_(BATCH)
        torch.bmm(back.transpose(1, 2), two, out=s3), torch.sum(back, 1, keepdim=True, out=t3)
        back = torch.bmm(back, w3).mul_(two > 0)
        torch.bmm(back.transpose(1, 2), one, out=s2), torch.sum(back, 1, keepdim=True, out=t2)
        back = torch.bmm(back, w2).mul_(one > 0)
        torch.bmm(back.transpose(1, 2), some, out=s1), torch.sum(back, 1, keepdim=True, out=t1)
        drift = slope.mul_(NBETA).add_(w - centre, alpha=GAMMA)
        w.add_(drift, alpha=-0.5 * EPSILON).add_(torch.randn(w.shape, generator=generator), alpha=EPSILON**0.5)
        return losses

    def steps(count: int) -> float:
        start = time.process_time()
        for _ in range(count):
            step()
        return time.process_time() - start

    return steps


def ours(network: nn.Module, chains: int) -> Callable[[int], float]:
    """The package's own step, in plain coordinates as the others': seconds of so many steps."""
    subject = heldout.Subject(network, train=digits())
    field = NetworkField(subject.population, subject.train, subject.loss, tuple(subject.population.parameters))
    nbeta, gamma, size = (torch.tensor([value], dtype=torch.float64) for value in (NBETA, GAMMA, EPSILON))
    target, streams = Target.of(field, torch.tensor([0]), nbeta, gamma, chains), Streams(0, chains)
    sampler = Sgld(BATCH)
    state, number = sampler.begin(target, streams), 0

    def steps(count: int) -> float:
        nonlocal state, number
        start = time.process_time()
        for _ in range(count):
            state = sampler.step(target, state, size, streams, number)
            number += 1
        return time.process_time() - start

    return steps


def step_table(network: nn.Module, peer: Peer | None, rounds: int, steps: int) -> str:
    """Milliseconds of a step of all chains, and ratios of medians."""
    lines = ["| chains | heldout ms a step | by hand | ratio | devinterp 1.3.2 | ratio |", "|---|---|---|---|---|---|"]
    for chains in (8, 16):
        runs = {"heldout": ours(network, chains), "hand": by_hand(network, chains)}
        if peer is not None:
            runs["devinterp"] = lambda count, chains=chains: peer(chains, count)[0]  # type: ignore[misc]
        for run in runs.values():
            run(60)  # what is recorded or allocated once
        found: dict[str, list[float]] = {name: [] for name in runs}
        for _ in range(rounds):
            for name, run in runs.items():
                found[name].append(1000 * run(steps) / steps)
        medians = {name: float(np.median(each)) for name, each in found.items()}
        other = medians.get("devinterp", math.nan)
        lines.append(
            f"| {chains} | {medians['heldout']:.2f} | {medians['hand']:.2f} | {medians['heldout'] / medians['hand']:.2f} | "
            f"{other:.2f} | {other / medians['heldout']:.1f} |"
        )
    return "\n".join(lines)


def needed(trace: np.ndarray, centre: float, exact: float, epsilon: float, wanted: float) -> tuple[float, str]:
    """Steps of one chain after which the root mean square error of the mean is as wanted, by the second half of eight long ones.

    What a user cannot know is granted: one chain suffices, and only one relaxation of the flat directions is left out of it.
    """
    late = NBETA * (trace[:, trace.shape[1] // 2 :] - centre)
    bias, variance = late.mean() / exact - 1, late.var() / exact**2
    time_between = late.size / effective_size(late)  # steps that one independent draw takes
    left = wanted**2 - bias**2
    said = f"bias {bias:+.1%}, one independent draw in {time_between:.0f} steps"
    return (2 / (epsilon * GAMMA) + time_between * variance / left if left > 0 else math.inf), said


def error_table(network: nn.Module, peer: Peer | None, exact: float, precision: float, seeds: int) -> str:
    """CPU seconds to an error of 5 and of 2 %."""
    seconds, values, errors = [], [], []
    for seed in range(seeds):
        start = time.process_time()
        found = heldout.sample_posterior(
            heldout.Subject(network, train=digits()), localisation=GAMMA, precision=precision, seed=seed
        ).learning_coefficient
        seconds.append(time.process_time() - start)
        values.append(float(found.value[0]))
        errors.append(float(found.standard_error[0]))
    off = math.sqrt(np.square(np.array(values) / exact - 1).mean())
    lines = [
        "| tool | CPU s to 5 % | to 2 % | how |", "|---|---|---|---|",
        f"| heldout, automatic | {np.median(seconds):.1f} | the same | {seeds} seeds: root mean square error {off:.1%}, "
        f"standard error said {np.mean(errors) / exact:.1%} |",
    ]  # fmt: skip
    if peer is not None:
        for epsilon, draws in ((3e-5, 3000), (1e-4, 2000), (3e-4, 1500)):
            spent, trace = peer(8, draws, epsilon)
            both = [needed(trace, peer.centre, exact, epsilon, wanted) for wanted in (0.05, 0.02)]
            costs = [f"{steps * spent / trace.size:.1f}" if steps < math.inf else "never" for steps, _ in both]
            lines.append(f"| devinterp, SGLD at {epsilon:g} | {costs[0]} | {costs[1]} | {both[0][1]} |")
    return "\n".join(lines)


def memory_sentence(network: nn.Module) -> str:
    """Peak of the resident memory while the automatic settings run, above what was there before."""

    def resident() -> float:
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * 4096 / 2**20

    subject, peak, done = heldout.Subject(network, train=digits()), [0.0], threading.Event()
    before = resident()

    def watch() -> None:
        while not done.wait(0.002):
            peak[0] = max(peak[0], resident())

    (watcher := threading.Thread(target=watch)).start()
    heldout.sample_posterior(subject, localisation=GAMMA, precision=0.05)
    done.set()
    watcher.join()
    model = 8970 * 4 / 2**20  # of float32
    return (
        f"Memory: {peak[0] - before:.0f} MiB above {before:.0f} MiB before; one network is {model:.3f} MiB, eight chains with "
        f"positions, momenta, gradients and proposals {8 * 6 * model:.1f} MiB, forty directions {40 * model:.1f} MiB, the blocks of "
        "activations at most 32 MiB planned."
    )


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--devinterp", default="", help="a Python that has devinterp 1.3.2")
    for name, default in (("--rounds", 5), ("--steps", 100), ("--seeds", 5)):
        parser.add_argument(name, type=int, default=default)
    parser.add_argument("--exact", type=float, default=8.55, help="the learning coefficient by a long run")
    given = parser.parse_args()
    torch.set_num_threads(1)
    network = trained(NAME)
    print(memory_sentence(network), end="\n\n")
    with tempfile.TemporaryDirectory() as folder:
        there = bool(given.devinterp) and Path(given.devinterp).exists()
        peer = Peer(given.devinterp, network, folder) if there else None
        if peer is None:
            print("devinterp is not there; pass --devinterp the Python of an environment that has it.\n")
        print(step_table(network, peer, given.rounds, given.steps), end="\n\n", flush=True)
        print(error_table(network, peer, given.exact, 0.05, given.seeds))
        if peer is not None:
            peer.process.kill()


if __name__ == "__main__":
    main()
