"""Projections by name: eight of them, so that a message pays three bits for the choice."""

import torch
from torch import Tensor, nn

from heldout.engine.compression.projections import (
    Projection,
    added,
    automatic,
    dense,
    kronecker,
    kronecker_remainder,
    onto,
    sparse,
)
from heldout.engine.population import Population, stream
from heldout.records import Refusal

#: In the order of their numbers in a message.
KINDS = (
    "automatic", "dense", "sparse", "kronecker", "kronecker-remainder", "kronecker-orthonormal", "film", "film+automatic",
)  # fmt: skip
KIND_BITS = 3  # log2 of their number
_NORMS = (nn.modules.batchnorm._NormBase, nn.LayerNorm, nn.GroupNorm, nn.RMSNorm)


def projection_of(kind: str, start: Population, dimension: int, *, seed: int) -> Projection:
    """A projection to all weights of one network.

    Args:
        kind: One of :data:`KINDS`: ``automatic`` is dense up to 32 million entries and Kronecker beyond, ``film`` moves the scales
            and shifts of norms and the last layer alone, a sum acts on the same coordinates.
        start: Networks of the architecture.
        dimension: d.
        seed: Agreed on before the data were seen.

    Returns:
        The map.

    Raises:
        Refusal: If the name is not one of them.

    Example:
        >>> population = Population(nn.Sequential(nn.Linear(30, 9), nn.BatchNorm1d(9), nn.Linear(9, 2)))
        >>> int((projection_of("film", population, 5, seed=0)(torch.ones(5)) != 0).sum()) == 9 + 9 + 9 * 2 + 2
        True
    """
    weights = start.size
    if kind == "automatic":
        return automatic(weights, dimension, seed=seed)
    if kind == "dense":
        return dense(weights, dimension, seed=seed)
    if kind == "sparse":
        return sparse(weights, dimension, seed=seed)
    if kind == "kronecker":
        return kronecker(weights, dimension, seed=seed)
    if kind in ("kronecker-remainder", "kronecker-orthonormal"):
        return kronecker_remainder(weights, dimension, seed=seed, orthonormal=kind == "kronecker-orthonormal")
    if kind == "film":
        return onto(modulating(start), weights, dimension, seed=seed)
    if kind == "film+automatic":
        # a seed of its own: two maps drawn from one stream would not be independent, and their sum not of length 1
        other = int(torch.randint(2**62, (1,), generator=stream(seed, "second projection")))
        return added(projection_of("film", start, dimension, seed=seed), automatic(weights, dimension, seed=other))
    raise Refusal(given=f"a projection was {kind!r}", expected=f"one of {', '.join(KINDS)}", do="correct the name")


def modulating(networks: Population) -> Tensor:
    """Places of the scales and shifts of norms, and of the last layer, among the weights.

    Args:
        networks: Of the architecture.

    Returns:
        Places, ascending, int64.
    """
    owners = {name: name.rpartition(".")[0] for name in networks.parameters}
    norms = {owner for owner in owners.values() if isinstance(networks.template.get_submodule(owner), _NORMS)}
    others = [owner for owner in owners.values() if owner not in norms]
    chosen, places, start = norms | set(others[-1:]), [], 0
    for name, stack in networks.parameters.items():
        size = stack[0].numel()
        if owners[name] in chosen:
            places.append(torch.arange(start, start + size))
        start += size
    return torch.cat(places)
