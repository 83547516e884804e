"""Certificates: the Monte-Carlo step of PAC-Bayes with stacked draws against a loop over draws, and inversions of kl.

Run: ``python benchmarks/certificates.py [--draws 200] [--repeats 3]``. Both evaluate the same number of draws from one Gaussian on
the same examples, in turn; medians of ratios. What certificates use is faster still, a draw of its own for every example, whose
losses are all independent: the loop would need a whole draw for each. Goals: 5 for a dense network, 2 for a convolutional one; a
million inversions in 2 s.
"""

import argparse
import copy
import statistics
import time
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from heldout.datasets.digits import digits
from heldout.engine.numerics import kl_inverse_upper
from heldout.engine.population import Population
from heldout.engine.posteriors import Gaussian, drawn, network_errors, per_example
from heldout.engine.subject import Examples
from heldout.networks.dense import dense
from heldout.networks.small_convolutional import small_convolutional


def looped(network: nn.Module, scales: dict[str, Tensor], x: Tensor, y: Tensor, draws: int) -> float:
    """The Gibbs risk as scripts compute it: draw after draw, a copy of the network each time."""
    total = 0.0
    with torch.no_grad():
        for _ in range(draws):
            one = copy.deepcopy(network)
            for name, parameter in one.named_parameters():
                parameter.add_(scales[name] * torch.randn_like(parameter))
            total += float((one(x).argmax(-1) != y).double().mean())
    return total / draws


def stacked(gaussian: Gaussian, x: Tensor, y: Tensor, draws: int) -> float:
    """The same by populations of draws."""
    blocks = [drawn(gaussian, 50, seed=0, first=first) for first in range(0, draws, 50)]
    return float(
        np.mean([float(network_errors(block, Examples(x, y), binary=False).double().mean()) for block in blocks])
    )


def compare(name: str, make: Callable[[], nn.Module], draws: int, repeats: int, examples: int, goal: float) -> None:
    """Print how many times faster stacked draws are.

    Args:
        name: Of the architecture.
        make: Gives a network.
        draws: Evaluated by each side, a multiple of 50.
        repeats: Interleaved pairs.
        examples: On which.
        goal: Times.
    """
    x, y = (part[:examples] for part in digits(train_size=1000)[0])
    population = Population.of(make, 1)
    gaussian = Gaussian.around(population, 0.03)
    network = population.member(0).eval()
    scales = {key: stack[0].exp() for key, stack in gaussian.log_scales.items()}
    ratios, loop_seconds = [], 0.0
    for _ in range(repeats):
        start = time.perf_counter()
        one = looped(network, scales, x, y, draws)
        middle = time.perf_counter()
        other = stacked(gaussian, x, y, draws)
        end = time.perf_counter()
        loop_seconds = middle - start
        ratios.append(loop_seconds / (end - middle))
        print(f"  {name}: loop {loop_seconds:.2f} s ({one:.3f}), stacked {end - middle:.2f} s ({other:.3f})")
    print(f"{name}, {draws} draws on {examples} examples: {statistics.median(ratios):.1f} times faster (goal {goal:g})")
    start = time.perf_counter()
    losses = per_example(gaussian, Examples(x, y), draws=4, binary=False, seed=0).numel()
    taken, one_draw = time.perf_counter() - start, loop_seconds / draws
    print(
        f"  {losses} independent losses, a draw an example: {taken:.2f} s; the loop's {losses} draws: about {losses * one_draw:.1f} s"
    )


def inversions() -> None:
    """Print how long a million inversions of kl take."""
    draw = np.random.default_rng(0)
    risks, budgets = draw.random(10**6), draw.exponential(0.1, 10**6)
    start = time.perf_counter()
    kl_inverse_upper(risks, budgets)
    print(f"a million inversions of kl: {time.perf_counter() - start:.2f} s (goal 2)")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=200)
    parser.add_argument("--repeats", type=int, default=3)
    chosen = parser.parse_args()
    for examples in (100, 1000):
        compare("dense", lambda: dense(widths=(128,)), chosen.draws, chosen.repeats, examples, 5)
        compare("convolutional", small_convolutional, chosen.draws, chosen.repeats, examples, 2)
    inversions()
