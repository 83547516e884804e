"""Where a network can be cut in two: hidden tensors that carry everything the first weight layer computes."""

import math
from collections.abc import Callable, Mapping

import torch
from torch import Tensor
from torch.utils._pytree import tree_map

from heldout.catalog import evidence
from heldout.engine.evidence.places import Change, Cut, intervening, places_of
from heldout.engine.population import Inputs, Population, stream
from heldout.engine.population.calling import placed
from heldout.engine.population.vectorising import activation_bytes, vectorisable_kernels
from heldout.engine.subject import Subject

#: Copies of an example on which a place is tried, each with noise of its own, so that no dead unit hides a connection; fewer
#: where one example's activations take more than a MiB, because there are many units then.
MANY, FEW, LARGE = 16, 3, 2**20
MOST_CUTS = 8  # of a deep network, evenly spaced; the competition's entries used 1, Jiang et al. (2019) 3


@evidence()
def hidden_cuts(subject: Subject, folded: Population) -> tuple[Cut, ...]:
    """Hidden places through which everything passes that the first weight layer computes, in order; at most 8.

    Between every two weight layers the first such place is taken: where no skip connection passes by, the output of the layer
    with its batch norm, before its activation. It is tried, not guessed: a place is a cut if, with its tensor held fixed, a
    change of the first layer's output no longer reaches the outputs.

    Args:
        subject: What is under study.
        folded: Its networks.

    Returns:
        The places; empty for a network without hidden layers.
    """
    found = cuts_of(folded, subject.probe)
    if len(found) <= MOST_CUTS:
        return found
    return tuple(found[round(k * (len(found) - 1) / (MOST_CUTS - 1))] for k in range(MOST_CUTS))


def cuts_of(population: Population, probe: Inputs) -> tuple[Cut, ...]:
    """All cuts of an architecture; what the weights are does not matter.

    Args:
        population: The networks.
        probe: One example, leaves ``[1, ...]``.

    Returns:
        At most one a weight layer but the last.
    """
    called, places = places_of(population, probe)
    if not places:
        return ()
    run, other = _generic(population, probe), _generic(population, probe, redrawn=f"{called[0]}.")
    first = next((cut for cut in places[0] if _starts(run, other, cut)), None)
    if first is None:
        return ()
    found = [first]
    for between in places[1:]:
        found += next(([cut] for cut in between if _holds(run, first, cut)), [])
    return tuple(found)


Run = Callable[[Mapping[Cut, Change]], Tensor]


def _generic(population: Population, probe: Inputs, redrawn: str = "") -> Run:
    """The architecture with weights at random (those of names that begin so once again): what died in training does not count."""
    parameters = {}
    for name, tensor in population.parameters.items():
        again = "again" if redrawn and name.startswith(redrawn) else ""
        noise = torch.randn(tensor.shape[1:], generator=stream("cuts", name, again))
        if noise.ndim > 1:
            value = noise * math.sqrt(2.0 / max(1, noise[0].numel()))  # keeps the size of what passes through ReLUs
        else:
            value = 0.1 * noise + (0.0 if name.endswith("bias") else 1.0)
        parameters[name] = value.to(tensor)
    buffers = population.tensors(0)[1]
    example = placed(probe, population.device, population.dtype)
    with vectorisable_kernels():
        copies = MANY if activation_bytes(population, example) < LARGE else FEW
    x = tree_map(lambda leaf: leaf.expand(copies, *leaf.shape[1:]), example)

    def run(changes: Mapping[Cut, Change]) -> Tensor:
        with torch.no_grad(), vectorisable_kernels(), intervening(population.template, changes):
            return population.call_one(parameters, buffers, x)

    return run


def _starts(run: Run, other: Run, cut: Cut) -> bool:
    """Whether the tensor in this place comes from the first layer, whose weights ``other`` has drawn again, and matters."""
    if _same(run({cut: _shaken("one")}), run({cut: _shaken("two")})):
        return False
    return not _same(*(_there(each, cut, {}) for each in (run, other)))


def _holds(run: Run, first: Cut, cut: Cut) -> bool:
    """Whether the tensor in this place reaches the outputs, and nothing of the first layer's output gets past it."""
    before: dict[Cut, Change] = {first: _shaken("one")}
    kept, outputs = _there(run, cut, before), run(before)
    if not _same(outputs, run({first: _shaken("two"), cut: lambda _: kept.clone()})):
        return False
    return not _same(outputs, run({**before, cut: _shaken("three")}))


def _there(run: Run, cut: Cut, changes: Mapping[Cut, Change]) -> Tensor:
    """The tensor in a place after changes elsewhere."""
    kept: list[Tensor] = []

    def keep(tensor: Tensor) -> Tensor:
        kept.append(tensor.clone())
        return tensor

    run({**changes, cut: keep})
    return kept[0]


def _shaken(draw: str) -> Change:
    """Noise of the tensor's own size, and of 1 at least: every copy of the example meets its own."""

    def change(tensor: Tensor) -> Tensor:
        noise = torch.randn(tensor.shape, generator=stream("cuts", draw)).to(tensor)
        return tensor + noise * (1.0 + tensor.abs().mean())

    return change


def _same(one: Tensor, other: Tensor) -> bool:
    return torch.allclose(one, other, rtol=1e-4, atol=1e-5 * float(one.abs().max()) + 1e-12)
