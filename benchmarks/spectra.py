"""The spectral part of an audit against weightwatcher: time, peak memory and exponents, interleaved in one run.

Run: ``python benchmarks/spectra.py [--peer-python X/bin/python] [--repeats 3] [--threads 2]``. The peer lives in an
environment of its own, made with ``pip install torch weightwatcher``. Every analysis is a fresh process on the same random
weights; imports and the making of the network are not timed, and are in the memory of all alike. Ratios are what counts;
absolute times move from machine to machine, and with one thread processor time does not see what else the machine does.
Goal: a third of the peer's time or less, no more memory, exponents within 1e-3.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

if TYPE_CHECKING:
    from torch import Tensor

VGG_CHANNELS = (3, 64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512)
RESNET_STAGES = ((64, 64), (64, 128), (128, 256), (256, 512))
PEER_FLOOR = 1e-5  # eigenvalues up to here weightwatcher leaves out of its fits


def vgg_16() -> list[nn.Module]:
    """Layers of the size of VGG-16: 138 million weights."""
    convolutions: list[nn.Module] = [nn.Conv2d(a, b, 3, bias=False) for a, b in pairwise(VGG_CHANNELS)]
    return [*convolutions, *(nn.Linear(a, b, bias=False) for a, b in ((25088, 4096), (4096, 4096), (4096, 1000)))]


def resnet_18() -> list[nn.Module]:
    """Layers of the size of ResNet-18: 11.7 million weights."""
    layers: list[nn.Module] = [nn.Conv2d(3, 64, 7, bias=False)]
    for before, after in RESNET_STAGES:
        layers += [nn.Conv2d(a, after, 3, bias=False) for a in (before, after, after, after)]
        layers += [nn.Conv2d(before, after, 1, bias=False)] if before != after else []
    return [*layers, nn.Linear(512, 1000, bias=False)]


NETWORKS = {"resnet-18": resnet_18, "vgg-16": vgg_16}


def made(name: str) -> nn.Module:
    """The network with He-scaled Gaussian weights, the same in every process."""
    with torch.device("meta"):
        network = nn.Sequential(*NETWORKS[name]())
    network = network.to_empty(device="cpu").eval()
    generator = torch.Generator().manual_seed(0)
    for parameter in network.parameters():
        parameter.data.normal_(0.0, (2 / parameter[0].numel()) ** 0.5, generator=generator)
    return network


def matrices(network: nn.Module) -> "dict[str, Tensor]":
    """The evidence that spectra are made from, views of the weights."""
    return {name: parameter.data.flatten(1)[None] for name, parameter in network.named_parameters()}


def ours(network: nn.Module) -> list[float]:
    """What an audit computes: spectra and tail fits of the layers as matrices (out, in * receptive field)."""
    from heldout.engine.evidence.spectra import spectra
    from heldout.engine.evidence.tails import tails

    return [float(fit.alpha) for fit in tails(spectra(matrices(network))).values()]


def ours_with_reference(network: nn.Module) -> list[float]:
    """The same, and both again for random matrices of the same shapes, which the peer's time does not include."""
    from heldout.engine.evidence.spectra import spectra_at_random
    from heldout.engine.evidence.tails import tails

    exponents = ours(network)
    tails(spectra_at_random(matrices(network), 0))
    return exponents


def ours_as_peer(network: nn.Module) -> list[float]:
    """The same fits by the peer's convention: one matrix a kernel position, their eigenvalues pooled, halved, cut at 1e-5."""
    from heldout.engine.evidence.spectra import singular_values
    from heldout.engine.evidence.tails import fit_tail

    exponents = []
    for parameter in network.parameters():
        weight: Tensor = parameter.data
        slices = weight.flatten(2).permute(2, 0, 1).contiguous() if weight.ndim > 2 else weight[None]
        eigenvalues = singular_values(slices).square().flatten() * (0.5 if weight.ndim > 2 else 1.0)
        eigenvalues = torch.where(eigenvalues > PEER_FLOOR, eigenvalues, 0.0)
        exponents.append(float(fit_tail(eigenvalues[None]).alpha))
    return exponents


def peer(network: nn.Module) -> list[float]:
    """Weightwatcher with its defaults."""
    import weightwatcher

    details = weightwatcher.WeightWatcher(model=network).analyze()
    return [float(alpha) for alpha in details.sort_values("layer_id").alpha]


WORKERS = {
    "ours": ours,
    "ours with the random reference": ours_with_reference,
    "ours, peer's convention": ours_as_peer,
    "weightwatcher": peer,
}


def work(worker: str, name: str, threads: int) -> None:
    """One analysis; prints seconds, bytes and exponents as the last line."""
    torch.set_num_threads(threads)
    network = made(name)
    if worker == "weightwatcher":
        import weightwatcher  # noqa: F401
    else:
        from heldout.engine.evidence import spectra, tails  # noqa: F401
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start, busy = time.perf_counter(), time.process_time()
    exponents = WORKERS[worker](network)
    seconds, processor = time.perf_counter() - start, time.process_time() - busy
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({"seconds": seconds, "processor": processor, "before": before, "peak": peak, "alpha": exponents}))


def compare(name: str, peer_python: str | None, repeats: int, threads: int) -> None:
    """Interleaved runs of all workers on one network, medians and ratios."""
    workers = [worker for worker in WORKERS if peer_python or worker != "weightwatcher"]
    runs: dict[str, list[dict[str, Any]]] = {worker: [] for worker in workers}
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads), "OPENBLAS_NUM_THREADS": str(threads)}
    for _ in range(repeats):
        for worker in workers:
            python = peer_python if worker == "weightwatcher" and peer_python else sys.executable
            command = [python, "-W", "ignore", __file__, "--threads", str(threads), "--work", worker, name]
            done = subprocess.run(command, capture_output=True, text=True, env=environment)
            if done.returncode:
                raise SystemExit(f"{worker} failed on {name}:\n{done.stderr}")
            runs[worker].append(json.loads(done.stdout.splitlines()[-1]))
    for worker, each in runs.items():
        own = {key: statistics.median(run[key] for run in each) for key in ("seconds", "processor", "peak", "before")}
        line = f"{name}, {worker}: {own['seconds']:.2f} s ({own['processor']:.2f} s of processor time), "
        line += (
            f"peak {own['peak'] / 1024:.0f} MiB ({(own['peak'] - own['before']) / 1024:.0f} above the loaded network)"
        )
        if worker != "weightwatcher" and peer_python:
            times = {key: statistics.median(run[key] for run in runs["weightwatcher"]) / own[key] for key in own}
            line += (
                f"; peer: {times['seconds']:.1f} times the seconds, {times['processor']:.1f} times the processor time, "
            )
            line += f"{times['peak']:.2f} times the memory"
        print(line, flush=True)
    if peer_python:
        pairs = zip(runs["ours, peer's convention"][0]["alpha"], runs["weightwatcher"][0]["alpha"], strict=True)
        print(f"{name}: largest difference of alpha over layers {max(abs(a - b) for a, b in pairs):.1e} (goal: 1e-3)")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer-python", help="python of an environment with weightwatcher")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=list(NETWORKS))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--work", nargs=2, metavar=("WORKER", "NETWORK"), help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.work:
        work(*chosen.work, chosen.threads)
    else:
        if not chosen.peer_python:
            print("no --peer-python: the comparison with weightwatcher was NOT made, only ours is timed")
        for network_name in chosen.networks:
            compare(network_name, chosen.peer_python, chosen.repeats, chosen.threads)
