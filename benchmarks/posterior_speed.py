"""Speed and memory of sampling, beside devinterp and beside matrix products batched by hand.

``python -m benchmarks.posterior_speed --devinterp PYTHON --devinterp PYTHON`` (of environments with 1.3.2 and with 2.0.1). The
network is the perceptron 64-64-64-10 of ``digits/networks.py``, the batch 256, the localisation 100. Steps: all in turn, round
after round, medians of the process's CPU time. Error: CPU seconds until the learning coefficient is known to 5 and to 2 %: of the
automatic settings from nothing, and with hindsight (given the step, the burn-in, and that one chain suffices), by bias and spread
of long traces, devinterp at each of a few step sizes. Memory: the peak above what is
there before sampling.
"""

import argparse
import math
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import torch
from benchmarks.digits.devinterp_peer import BATCH, Peer
from benchmarks.digits.networks import GAMMA, NBETA, digits, trained
from torch import Tensor, nn

import heldout
from heldout.engine.sampling import NetworkField, Target
from heldout.engine.sampling.langevin import Sgld
from heldout.engine.sampling.randomness import Streams
from heldout.verbs.posterior import Posterior

NAME, EPSILON = "perceptron 64-64-64-10", 1e-4


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


def step_table(network: nn.Module, peers: list[Peer], rounds: int, steps: int) -> str:
    """Milliseconds of a step of all chains, and medians beside those of the package."""
    names = ["by hand", *(f"devinterp {peer.version}" for peer in peers)]
    lines = [
        f"| chains | heldout ms a step | {' | '.join(f'{name} | heldout of it' for name in names)} |",
        "|---|---|" + "---|---|" * len(names),
    ]
    for chains in (8, 16):
        runs = {"heldout": ours(network, chains), "by hand": by_hand(network, chains)}
        runs |= {name: _asked(peer, chains) for name, peer in zip(names[1:], peers, strict=True)}
        for run in runs.values():
            run(60)  # what is recorded or allocated once
        found: dict[str, list[float]] = {name: [] for name in runs}
        for _ in range(rounds):
            for name, run in runs.items():
                found[name].append(1000 * run(steps) / steps)
        own, *others = (float(np.median(each)) for each in found.values())
        cells = " | ".join(f"{other:.2f} | {own / other:.2f}" for other in others)
        lines.append(f"| {chains} | {own:.2f} | {cells} |")
    return "\n".join(lines)


def _asked(peer: Peer, chains: int) -> Callable[[int], float]:
    def seconds(count: int) -> float:
        """Of so many steps in a long run: what a run costs whatever its length is left out."""
        long, short = (peer(chains=chains, draws=n, epsilon=EPSILON, gamma=GAMMA).seconds for n in (5 * count, count))
        return (long - short) / 4

    return seconds


def needed(trace: np.ndarray, exact: float, burn_in: float, wanted: float) -> tuple[float, str]:
    """Steps of one chain after which the root mean square error of its mean is as wanted, by the spread of blocks of long chains.

    What a user cannot know is granted: that this is a good step size, that one chain suffices, and how much is to be left out of it.
    Blocks and not autocorrelations, as chains that share their minibatches do not vary independently.

    Args:
        trace: Estimates of the learning coefficient by single steps, burn-in left out, ``[K, T]``.
        exact: The learning coefficient.
        burn_in: Steps.
        wanted: Relative error.
    """
    length = trace.shape[1] // 4
    blocks = trace[:, : 4 * length].reshape(len(trace), 4, length).mean(2) / exact
    bias, variance = blocks.mean() - 1, blocks.var(ddof=1)
    left = wanted**2 - max(0.0, bias**2 - variance / blocks.size)  # less what the mean of all blocks is off by chance
    time_between = length * variance * exact**2 / trace.var()
    chance = math.sqrt(variance / blocks.size)
    said = f"bias {bias:+.1%} ± {chance:.1%}, one independent draw in {time_between:.0f} steps"
    return (burn_in + length * variance / left if left > 0 else math.inf), said


def automatic(network: nn.Module, precision: float, seed: int) -> tuple[float, Posterior]:
    """CPU seconds, and what came out."""
    start = time.process_time()
    subject = heldout.Subject(network, train=digits())
    found = heldout.sample_posterior(subject, localisation=GAMMA, precision=precision, seed=seed)
    return time.process_time() - start, found


def error_table(network: nn.Module, peers: list[Peer], exact: float, seeds: int) -> str:
    """CPU seconds to an error of 5 and of 2 %, alone and without what has to be found out before."""
    lines = ["| tool | CPU s to 5 % | to 2 % | how |", "|---|---|---|---|"]
    cells, said = [], []
    for precision in (0.05, 0.02):
        runs = [automatic(network, precision, seed) for seed in range(seeds)]
        readings = [found.learning_coefficient for _, found in runs]
        off = math.sqrt(np.mean([(float(each.value[0]) / exact - 1) ** 2 for each in readings]))
        error = np.mean([float(each.standard_error[0]) for each in readings]) / exact
        cells.append(f"{np.median([seconds for seconds, _ in runs]):.1f}")
        said.append(f"{off:.1%} (said: {error:.1%})")
    lines.append(
        f"| heldout, automatic, from nothing | {' | '.join(cells)} | {seeds} seeds: root mean square error {' and '.join(said)} |"
    )
    (brief, few), (long, many) = automatic(network, 0.05, 0), automatic(network, 0.01, 0)
    counts = [found.draws[0].recorded.mean_losses.size for found in (few, many)]
    draws = many.draws[0]
    trace = NBETA * (draws.recorded.mean_losses - draws.centre_losses.mean())
    lines.append(_hindsight("heldout, its trajectories", trace, exact, 5.0, (long - brief) / (counts[1] - counts[0])))
    for peer in peers:
        for epsilon, length in ((3e-5, 6000), (6e-5, 4000), (1e-4, 4000), (2e-4, 3000)):
            found = peer(chains=8, draws=length, epsilon=epsilon, gamma=GAMMA)
            late = NBETA * (found.trace[:, length // 2 :] - peer.centre)
            name = f"devinterp {peer.version}, SGLD at {epsilon:g}"
            lines.append(_hindsight(name, late, exact, 2 / (epsilon * GAMMA), found.seconds / found.trace.size))
    return "\n".join(lines)


def _hindsight(name: str, trace: np.ndarray, exact: float, burn_in: float, seconds: float) -> str:
    both = [needed(trace, exact, burn_in, wanted) for wanted in (0.05, 0.02)]
    costs = " | ".join(f"{steps * seconds:.2g}" if steps < math.inf else "never" for steps, _ in both)
    return f"| {name}, with hindsight | {costs} | {both[0][1]} |"


def memory_sentence(network: nn.Module) -> str:
    """Peak of the resident memory while the automatic settings run, above what was there before."""

    def resident() -> float:
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * 4096 / 2**20

    subject, peak, done = heldout.Subject(network, train=digits()), [0.0], threading.Event()
    heldout.sample_posterior(
        heldout.Subject(nn.Linear(64, 10), train=digits()), precision=0.2
    )  # loads what is loaded once
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
    parser.add_argument("--devinterp", action="append", default=[], help="a Python that has a version of devinterp")
    for name, default in (("--rounds", 5), ("--steps", 100), ("--seeds", 5)):
        parser.add_argument(name, type=int, default=default)
    parser.add_argument("--exact", type=float, default=8.55, help="the learning coefficient by a long run")
    given = parser.parse_args()
    torch.set_num_threads(1)
    network = trained(NAME)
    print(memory_sentence(network), end="\n\n")
    with ExitStack() as open_peers:
        peers = [open_peers.enter_context(Peer(python, NAME, network)) for python in given.devinterp]
        if not peers:
            print("devinterp is not there; pass --devinterp the Python of an environment that has it.\n")
        print(step_table(network, peers, given.rounds, given.steps), end="\n\n", flush=True)
        print(error_table(network, peers, given.exact, given.seeds))


if __name__ == "__main__":
    main()
