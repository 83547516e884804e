"""Mixtures of experts: how far apart the ways of different examples through the experts are."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from heldout.engine.population.calling import placed
from heldout.engine.population.vectorising import vectorisable_kernels
from heldout.engine.watching.groups import Found, Group, Probe
from heldout.engine.watching.rows import absent
from heldout.records import Status

NAME = "pathway-distance"
TOP = 2  # experts of a layer that make an example's way
GATES = ("gate", "router")
NONE = "no module has both 'experts' and a 'gate' or 'router' with one output for each"
OTHER = "the router's outputs are not one row of scores over the experts for each example or token"


def pathways(examples: int) -> Group:
    """The group that reads the distance of pathways.

    Args:
        examples: Watched training examples on which it is read.

    Returns:
        The group.
    """

    def read(probe: Probe) -> Found:
        template = probe.population.template
        layers = expert_layers(template)
        if not layers:
            return Found([absent(NAME, Status.NOT_APPLICABLE, NONE)])
        few = probe.train.first(examples).examples
        x = placed(few.x, probe.population.device, probe.population.dtype)
        with scores_of([gate for gate, _ in layers]) as seen, vectorisable_kernels():
            probe.population.call_one(*probe.population.tensors(0), x)
        scores = [by_example(own, len(few), experts) for own, (_, experts) in zip(seen, layers, strict=False)]
        if len(scores) < len(layers) or any(own is None for own in scores):
            return Found([absent(NAME, Status.NOT_APPLICABLE, OTHER)])
        value = pathway_distance(ways([own for own in scores if own is not None]))
        return Found([{"name": NAME, "family": "pathways", "value": value, "direction": "neither"}])

    return Group("pathways", (NAME,), read, 0.5, 2, float(examples))


def expert_layers(network: nn.Module) -> list[tuple[nn.Module, int]]:
    """Routers and the number of their experts, in the order of the network's modules.

    Args:
        network: Any module.

    Returns:
        Of every module with a list of experts and one router whose width, where it is known, is their number.

    Example:
        >>> layer = nn.Module()
        >>> layer.experts, layer.gate = nn.ModuleList(nn.Linear(2, 2) for _ in range(4)), nn.Linear(2, 4)
        >>> [experts for _, experts in expert_layers(nn.Sequential(layer))]
        [4]
    """
    found = []
    for module in network.modules():
        experts = getattr(module, "experts", None)
        count = len(experts) if isinstance(experts, nn.ModuleList) else getattr(experts, "num_experts", 0)
        gates = [gate for name in GATES if isinstance(gate := getattr(module, name, None), nn.Module)]
        if isinstance(count, int) and count > 1 and len(gates) == 1:
            width = getattr(gates[0], "out_features", count)
            if width == count:
                found.append((gates[0], count))
    return found


@contextmanager
def scores_of(gates: list[nn.Module]) -> Iterator[list[Any]]:
    """Keep what routers say; they are those of our own copy of the network.

    Args:
        gates: Routers.

    Yields:
        A list that a forward pass fills, one entry a router in the order of their calls.
    """
    seen: list[Any] = []
    hooks = [gate.register_forward_hook(lambda _module, _inputs, output: seen.append(output)) for gate in gates]
    try:
        yield seen
    finally:
        for hook in hooks:
            hook.remove()


def by_example(output: Any, examples: int, experts: int) -> Tensor | None:
    """Mean routing weights of every example.

    Args:
        output: Of a router: scores ``[..., E]`` whose rows are examples or their tokens, or a tuple that begins with them.
        examples: N.
        experts: E.

    Returns:
        ``[N, E]``; None where the output is something else.
    """
    scores = output[0] if isinstance(output, tuple) and output else output
    if not isinstance(scores, Tensor) or scores.shape[-1] != experts or scores.numel() % (examples * experts):
        return None
    return scores.detach().double().softmax(-1).reshape(examples, -1, experts).mean(1)


def ways(scores: list[Tensor]) -> Tensor:
    """Every example's way: of each layer the experts it goes to most, the first one first.

    Args:
        scores: Of each layer mean routing weights ``[N, E]``.

    Returns:
        ``[N, L * TOP]``, experts numbered over all layers.
    """
    parts, before = [], 0
    for own in scores:
        parts.append(own.topk(min(TOP, own.shape[1]), dim=1).indices + before)
        before += own.shape[1]
    return torch.cat(parts, dim=1).cpu()


def pathway_distance(pathways: Tensor) -> float:
    r"""Mean edit distance between the ways of two examples, in parts of their length (Li et al. 2025, arXiv 2506.21551).

    .. math:: \binom{N}{2}^{-1} \sum_{i < j} \frac{\mathrm{edit}(s_i, s_j)}{|s|}

    A way is the sequence of the two experts of every layer with the largest mean routing weight over an example's tokens. It falls
    when examples come to share their ways. It cannot see how much an expert is used beyond its place.

    Args:
        pathways: ``[N, S]``, whole numbers.

    Returns:
        Between 0, all the same, and 1; 0 for a single example.

    Example:
        One of two places differs.

        >>> pathway_distance(torch.tensor([[0, 2], [0, 3]]))
        0.5
    """
    count, length = pathways.shape
    if count < 2:
        return 0.0
    one, two = torch.triu_indices(count, count, 1)
    a, b = pathways[one], pathways[two]
    row = torch.arange(length + 1).expand(len(a), length + 1)
    for i in range(length):  # the table of Levenshtein's distance, row by row, for all pairs at once
        columns = [torch.full((len(a),), i + 1)]
        for j in range(length):
            changed = row[:, j] + (a[:, i] != b[:, j])
            columns.append(torch.minimum(torch.minimum(columns[-1], row[:, j + 1]) + 1, changed))
        row = torch.stack(columns, dim=1)
    return float(row[:, -1].double().mean() / length)
