"""Networks of thousands of parameters: automatic settings against a long reference run, and against the customary recipe.

``python -m benchmarks.posterior_networks --seeds 3 --devinterp PYTHON --devinterp PYTHON`` (of environments with 1.3.2 and with
2.0.1). The reference is plain Hamiltonian Monte Carlo on all examples, written here
and sharing nothing with the package: unit masses, plain coordinates, a fixed step, eight chains. The customary recipe is four
chains of 200 steps of SGLD at 1e-5, averaged from the first step on. The networks are trained on scikit-learn's digits.
"""

import argparse
import json
import math
import resource
import time
from pathlib import Path

import numpy as np
import torch
from benchmarks.digits.devinterp_peer import Peer
from benchmarks.digits.networks import GAMMA, NBETA, NETWORKS, digits, trained
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.attention import SDPBackend, sdpa_kernel

import heldout

CHAINS, BURN_IN = 8, 60


class Plain:
    """A network's mean loss and its gradient at flat parameter vectors, ``[C, P]``; nothing of the package is used."""

    def __init__(self, network: nn.Module) -> None:
        self.names, tensors = zip(*network.named_parameters(), strict=True)
        self.shapes, self.buffers = [each.shape for each in tensors], dict(network.named_buffers())
        self.centre = torch.cat([each.detach().flatten() for each in tensors])

        def loss(flat: Tensor, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
            pieces = flat.split([shape.numel() for shape in self.shapes])
            weights = {name: each.view(s) for name, each, s in zip(self.names, pieces, self.shapes, strict=True)}
            out = functional_call(network, {**weights, **self.buffers}, (x,)).double()
            value = nn.functional.cross_entropy(out, y)
            return value, value

        self.call = torch.vmap(torch.func.grad(loss, has_aux=True), in_dims=(0, None, None))

    def __call__(self, weights: Tensor, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Mean losses ``[C]``, float64, and gradients ``[C, P]``."""
        torch.backends.mha.set_fastpath_enabled(False)
        with sdpa_kernel(SDPBackend.MATH):  # the others have no rule for stacks
            gradient, value = self.call(weights, x, y)
        return value.detach(), gradient


def reference(network: nn.Module, trajectories: int, gamma: float = GAMMA, seed: int = 123) -> dict[str, float]:
    """A long run of Hamiltonian Monte Carlo (Neal 2011, figure 2), chains in a stack."""
    law, (x, y), generator = Plain(network), digits(), torch.Generator().manual_seed(seed)

    def energy(w: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        loss, slope = law(w, x, y)
        away = w - law.centre
        return loss, NBETA * loss + 0.5 * gamma * away.double().square().sum(1), NBETA * slope + gamma * away

    start, h = time.process_time(), 0.01
    w = law.centre.expand(CHAINS, -1).clone()
    loss, value, slope = energy(w)
    at_centre, found, accepted, recent = float(loss[0]), [], [], []
    for number in range(trajectories + BURN_IN):
        p = torch.randn(w.shape, generator=generator)
        total = value + 0.5 * p.double().square().sum(1)
        lasts = 0.5 * math.pi / gamma**0.5 * (0.6 + 0.8 * float(torch.rand(1, generator=generator)))
        new, at = w, (loss, value, slope)
        p = p - 0.5 * h * slope
        for step in range(steps := max(1, round(lasts / h))):
            new = new + h * p
            at = energy(new)
            p = p - (h if step < steps - 1 else 0.5 * h) * at[2]
        chance = (total - at[1] - 0.5 * p.double().square().sum(1)).clamp(max=0.0).exp().nan_to_num(0.0)
        taken = torch.rand(CHAINS, generator=generator) < chance
        w = torch.where(taken[:, None], new, w)
        loss, value = torch.where(taken, at[0], loss), torch.where(taken, at[1], value)
        slope = torch.where(taken[:, None], at[2], slope)
        recent.append(float(chance.mean()))
        if number < BURN_IN // 2 and len(recent) == 5:  # the step is settled in the first half of the burn-in
            h *= 0.7 if np.mean(recent) < 0.8 else 1.25 if np.mean(recent) > 0.95 else 1.0
            recent = []
        if number >= BURN_IN:
            found.append(NBETA * (loss - at_centre))
            accepted.append(float(chance.mean()))
    chains = torch.stack(found, 1).numpy().mean(1)
    return {
        "value": float(chains.mean()), "error": float(chains.std(ddof=1) / CHAINS**0.5), "step": h,
        "acceptance": float(np.mean(accepted)), "seconds": time.process_time() - start,
    }  # fmt: skip


def customary(
    network: nn.Module, gamma: float = GAMMA, epsilon: float = 1e-5, chains: int = 4, draws: int = 200
) -> float:
    """The recipe without burn-in: SGLD on batches of 256, all minibatch losses averaged."""
    law, (x, y), generator = Plain(network), digits(), torch.Generator().manual_seed(0)
    w = law.centre.expand(chains, -1).clone()
    losses = []
    for _ in range(draws):
        batch = torch.randperm(len(x), generator=generator)[:256]
        loss, slope = law(w, x[batch], y[batch])
        losses.append(loss)
        noise = torch.randn(w.shape, generator=generator)
        w = w - 0.5 * epsilon * (NBETA * slope + gamma * (w - law.centre)) + epsilon**0.5 * noise
    return NBETA * float(torch.stack(losses).mean() - law(law.centre[None], x, y)[0])


def row(
    name: str, seeds: int, trajectories: int, gamma: float | None, precision: float, peers: list[str]
) -> dict[str, object]:
    """One network: reference, automatic settings with several seeds, customary recipe by hand and by peers."""
    network = trained(name)
    size = sum(each.numel() for each in network.parameters())
    squares = sum(float(each.detach().double().square().sum()) for each in network.parameters())
    held = size / squares if gamma is None else gamma
    long = reference(network, trajectories, held)
    runs = []
    for seed in range(seeds):
        start = time.process_time()
        subject = heldout.Subject(network, train=digits())
        found = heldout.sample_posterior(subject, localisation=gamma, precision=precision, seed=seed)
        reading = found.learning_coefficient
        runs.append({
            "value": float(reading.value[0]), "error": float(reading.standard_error[0]), "reason": reading.reasons[0],
            "seconds": time.process_time() - start, "gradients": found.draws[0].sweeps,
        })  # fmt: skip
    said = {}
    for python in peers:
        with Peer(python, name, network) as peer:
            said[peer.version] = peer(chains=4, draws=200, epsilon=1e-5, gamma=held).value
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {
        "network": name, "parameters": size, "localisation": held, "automatic": gamma is None, "reference": long,
        "runs": runs, "customary": {"by hand": customary(network, held), **said}, "peak_mib": peak,
    }  # fmt: skip


def table(rows: list[dict[str, object]]) -> str:
    """The rows as Markdown."""
    lines = [
        "| network | parameters | γ | long run | its CPU s | automatic (± s.e.), seeds | farthest | CPU s | gradients | customary |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for each in rows:
        long, runs = each["reference"], each["runs"]
        assert isinstance(long, dict)
        assert isinstance(runs, list)
        said = ", ".join(f"{r['value']:.2f} ± {r['error']:.2f}" if not r["reason"] else r["reason"] for r in runs)
        away = max(abs(r["value"] / long["value"] - 1) for r in runs)
        seconds, gradients = (np.median([r[key] for r in runs]) for key in ("seconds", "gradients"))
        customary = each["customary"]
        assert isinstance(customary, dict)
        naive = ", ".join(f"{name} {value:.2f} ({value / long['value'] - 1:+.0%})" for name, value in customary.items())
        lines.append(
            f"| {each['network']} | {each['parameters']} | {each['localisation']:.1f} | {long['value']:.2f} ± "
            f"{long['error']:.2f} | {long['seconds']:.0f} | {said} | {away:.1%} | {seconds:.1f} | {gradients:.0f} | "
            f"{naive} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--trajectories", type=int, default=250, help="of the reference, each of eight chains")
    parser.add_argument("--precision", type=float, default=0.05)
    parser.add_argument("--network", action="append", default=[], choices=list(NETWORKS))
    parser.add_argument("--localisation", type=float, action="append", default=[], help="0 for the automatic one")
    parser.add_argument("--devinterp", action="append", default=[], help="a Python that has a version of devinterp")
    parser.add_argument("--json", default="", help="one row a line, written as they come")
    given = parser.parse_args()
    torch.set_num_threads(1)
    rows = []
    for name in given.network or list(NETWORKS):
        for gamma in given.localisation or [GAMMA]:
            rows.append(row(name, given.seeds, given.trajectories, gamma or None, given.precision, given.devinterp))
            if given.json:
                with Path(given.json).open("a", encoding="utf-8") as file:
                    file.write(json.dumps(rows[-1]) + "\n")
    print(table(rows))


if __name__ == "__main__":
    main()
