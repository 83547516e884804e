"""All measures on many networks at once against one network at a time, and curvature against PyHessian at equal error.

Run: ``python benchmarks/measures.py [--members 64] [--repeats 3] [--threads 1] [--peer FOLDER]``. PyHessian goes into a folder of
its own, ``pip install --no-deps --target FOLDER PyHessian==0.1``, and runs in this process on the same torch, network and data:
without ``--peer`` that comparison is NOT made. What is compared takes turns in one run; read the ratios, for seconds move from
machine to machine. Goals: the population at least 8 times as fast as its networks one by one; largest eigenvalue and trace of
the Hessian at least 3 times as fast as PyHessian at equal error.
"""

import argparse
import contextlib
import io
import statistics
import sys
import time
import warnings
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

import heldout
from heldout.catalog import units
from heldout.datasets.digits import digits
from heldout.engine.evidence.curvature import curvature_of, probes, starts
from heldout.engine.evidence.curvature_products import products_of
from heldout.engine.numerics.krylov import lanczos, ritz
from heldout.engine.population import Population
from heldout.engine.subject import Examples
from heldout.engine.training import Recipe, fit
from heldout.networks.small_convolutional import small_convolutional

SEEDS = 20  # over which errors are taken
LOOSE = 0.05  # an error of the trace that many would call good enough
CLOSE = 1e-3  # relative error of the eigenvalue that both must reach


def dense(width: int) -> nn.Module:
    """A network for 8x8 images.

    Args:
        width: Of its hidden layer.

    Returns:
        Untrained.
    """
    return nn.Sequential(nn.Flatten(), nn.Linear(64, width), nn.ReLU(), nn.Linear(width, 10))


def trained(
    make: Callable[[], nn.Module], members: int, examples: int
) -> tuple[Population, Population, Examples, Examples]:
    """Networks before and after training on digits, with the data."""
    (x, y), (x_test, y_test) = digits(train_size=examples)
    initial = Population.of(make, members)
    final = fit(initial, Examples(x, y), Recipe(batch_size=100, steps=4000, stop="loss")).final
    return initial, final, Examples(x, y), Examples(x_test, y_test)


def all_measures(name: str, make: Callable[[], nn.Module], members: int, repeats: int, examples: int) -> None:
    """Print the ratio of single readings of all measures to those of the population."""
    initial, final, train, test = trained(make, members, examples)
    networks, untrained = ([part.member(i) for i in range(members)] for part in (final, initial))
    names, ratios = sorted(units("measure")), []
    for _ in range(repeats):
        start, busy = time.perf_counter(), time.process_time()
        together = heldout.audit(
            heldout.Subject(networks, train, test, initial=untrained), only=names, thorough=True, progress=False
        )
        middle, busy_middle = time.perf_counter(), time.process_time()
        for network, before in zip(networks, untrained, strict=True):
            alone = heldout.audit(
                heldout.Subject(network, train, test, initial=before), only=names, thorough=True, progress=False
            )
        ratios.append((time.perf_counter() - middle) / (middle - start))
        print(
            f"  {name}: population {middle - start:.1f} s, one by one {time.perf_counter() - middle:.1f} s, ratio {ratios[-1]:.1f}; "
            f"of processor time {(time.process_time() - busy_middle) / (busy_middle - busy):.1f}", flush=True,
        )  # fmt: skip
        assert set(together.readings) == set(alone.readings) == set(names)
    print(
        f"{len(names)} measures, {name}, {examples} examples, {members} networks: the population is "
        f"{statistics.median(ratios):.1f} times as fast (goal: 8)", flush=True,
    )  # fmt: skip


def ours(subject: heldout.Subject, seed: int) -> tuple[float, float]:
    """Largest eigenvalue and trace as the readings have them."""
    population = subject.population
    product = products_of(subject, slice(None), "hessian")
    found = curvature_of(product, starts(population, 1, seed), probes(population, 1, 12, seed))
    return float(found.largest), float(found.captured + found.remainders.mean())


class Peer:
    """PyHessian on one batch of all data, which lets it keep the gradient's graph: the quickest way to use it."""

    def __init__(self, network: nn.Module, train: Examples) -> None:
        self._given = network, (train.x, train.y)

    def _fresh(self, seed: int) -> "object":
        from pyhessian import hessian

        torch.manual_seed(seed)
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")  # of reference cycles
            return hessian(self._given[0], nn.CrossEntropyLoss(), data=self._given[1], cuda=False)

    def eigenvalue(self, seed: int, tolerance: float) -> float:
        """By power iteration, until its relative change is below the tolerance."""
        return float(self._fresh(seed).eigenvalues(maxIter=2000, tol=tolerance)[0][0])  # type: ignore[attr-defined]

    def trace(self, seed: int, vectors: int, tolerance: float = 0.0) -> list[float]:
        """One estimate a vector, until the mean's relative change is below the tolerance."""
        return [float(t) for t in self._fresh(seed).trace(maxIter=vectors, tol=tolerance)]  # type: ignore[attr-defined]


def seconds(work: Callable[[], object]) -> float:
    """Time of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def relative(values: list[float], truth: float) -> float:
    """Root mean squared relative error."""
    return float(np.sqrt(np.mean((np.array(values) / truth - 1) ** 2)))


def truth_of(subject: heldout.Subject) -> tuple[float, float]:
    """Largest eigenvalue by Lanczos to rounding; trace from 2,000 vectors outside of 64 directions."""
    population = subject.population
    product = products_of(subject, slice(None), "hessian")
    largest = float(ritz(lanczos(product, starts(population, 1, 999), 64)).values.max())
    found: list[Tensor] = []
    for part in range(20):
        signs = probes(population, 1, 100, 1000 + part)
        each = curvature_of(product, starts(population, 1, 999), signs)
        found.append(each.captured + each.remainders.mean())
    return largest, float(torch.cat(found).mean())


def against_peer(name: str, make: Callable[[], nn.Module], repeats: int, examples: int) -> None:
    """Print errors and times of both."""
    _, final, train, _ = trained(make, 1, examples)
    network, subject = final.member(0), heldout.Subject(final.member(0), train)
    peer, (top, trace) = Peer(network, train), truth_of(subject)
    mine = [ours(subject, seed) for seed in range(SEEDS)]
    my_top, my_trace = (relative([pair[i] for pair in mine], truth) for i, truth in ((0, top), (1, trace)))
    print(f"{name}, {subject.population.size} parameters: largest eigenvalue {top:.5f}, trace {trace:.4f}")
    print(f"  ours: relative error {my_top:.1e} and {my_trace:.2%} over {SEEDS} seeds")
    tolerance = next(
        t for t in 10.0 ** -np.arange(3, 9) if relative([peer.eigenvalue(s, t) for s in range(SEEDS)], top) <= CLOSE
    )
    singles = [t for seed in range(SEEDS) for t in peer.trace(seed, 20)]
    spread = float(np.std(singles)) / trace
    equal, loose = (max(2, round((spread / error) ** 2)) for error in (my_trace, LOOSE))
    own_rule = [peer.trace(seed, 1000, 1e-3) for seed in range(SEEDS)]
    lengths, own_error = sorted(map(len, own_rule)), relative([float(np.mean(each)) for each in own_rule], trace)
    print(
        f"  PyHessian: error {CLOSE:.0e} of the eigenvalue needs tol={tolerance:.0e}; equal error of the trace needs {equal} "
        f"vectors, {LOOSE:.0%} needs {loose}; its own rule stops after {lengths[0]} to {lengths[-1]} with error {own_error:.1%}"
    )
    times = []
    for repeat in range(repeats):
        times.append((
            seconds(lambda seed=repeat: ours(subject, seed)),  # type: ignore[misc]
            seconds(lambda seed=repeat: peer.eigenvalue(seed, tolerance)),  # type: ignore[misc]
            seconds(lambda seed=repeat: peer.trace(seed, equal)),  # type: ignore[misc]
            seconds(lambda seed=repeat: peer.trace(seed, loose)),  # type: ignore[misc]
        ))
    for words, part in (("of equal error", 2), (f"of {LOOSE:.0%} error", 3)):
        ratios = [(row[1] + row[part]) / row[0] for row in times]
        print(
            f"  largest eigenvalue and trace {words}: ours {statistics.median(row[0] for row in times):.3f} s, PyHessian "
            f"{statistics.median(row[1] for row in times):.3f} + {statistics.median(row[part] for row in times):.3f} s, ratio "
            f"{statistics.median(ratios):.1f} ({min(ratios):.1f} to {max(ratios):.1f}; goal: 3)", flush=True,
        )  # fmt: skip


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--members", type=int, default=64)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--examples", type=int, default=200)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--peer", help="folder that PyHessian was installed into")
    parser.add_argument("--parts", nargs="+", choices=["population", "peer"], default=["population", "peer"])
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    if "peer" in chosen.parts and chosen.peer:
        sys.path.append(chosen.peer)
        against_peer("dense 64-64-10", lambda: dense(64), max(5, chosen.repeats), 500)
        against_peer("batch-norm cnn", lambda: small_convolutional(channels=8), max(5, chosen.repeats), 500)
    elif "peer" in chosen.parts:
        print("no --peer: the comparison with PyHessian was NOT made")
    if "population" in chosen.parts:
        all_measures("dense 64-16-10", lambda: dense(16), chosen.members, chosen.repeats, chosen.examples)
        all_measures("dense 64-64-10", lambda: dense(64), chosen.members, chosen.repeats, chosen.examples)
