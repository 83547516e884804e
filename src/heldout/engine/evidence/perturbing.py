"""Random weight perturbations: D directions, each judged on a subset of the training examples of its own."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves, tree_map

from heldout.engine.population import Population, stream
from heldout.engine.subject import Examples

KEPT_BYTES = 256 * 2**20  # of directions; more are drawn again at every call
Deviation = Callable[
    [Tensor], Tensor
]  # a parameter [M, 1, ...] -> standard deviation of its noise, broadcastable to it
Judge = Callable[[Tensor, Tensor], Tensor]  # outputs [M, D, n, ...] and subsets [D, n] -> one number a draw [M, D]
Perturbed = Callable[[Deviation, Judge, int], Tensor]
CACHED = 8 * 2**20  # bytes of perturbed weights at once: each is used once, and should not have left the cache by then


def perturbing(population: Population, train: Examples, *, draws: int, examples: int, seed: int) -> Perturbed:
    r"""A function that judges networks at ``w + s u_d`` for the same directions ``u_d ~ N(0, I)`` whenever it is called.

    Directions and subsets are keyed by draw and parameter and shared by all members and all calls (common random numbers): a
    curve through several calls is smooth, and a member alone sees what it sees in a population. Each draw has its own subset,
    so that the mean over draws is the mean over the whole training set.

    Args:
        population: The networks.
        train: The training data.
        draws: D.
        examples: n, how many examples a draw is judged on.
        seed: Of the streams.

    Returns:
        A function of the deviation, the judge and how many of the draws to use, which gives ``[M, D]``.
    """
    members = len(population)
    subsets = subsets_of(len(train), draws=draws, examples=examples, seed=seed)
    noise = _directions(population, draws, seed)
    one = train.take(slice(0, 1)).x
    bytes_of_input = sum(leaf.numel() * leaf.element_size() for leaf in tree_leaves(one))
    bytes_of_draw = members * population.size * 4 + examples * bytes_of_input * (1 if train.x_per_member else members)
    together = max(1, min(population.memory, CACHED) // bytes_of_draw)
    stack = population  # the last perturbed stack remembers whether it could be vectorised, so that it is tried once

    def judged(deviation: Deviation, judge: Judge, count: int) -> Tensor:
        nonlocal stack
        columns = []
        for start in range(0, count, together):
            chosen = slice(start, min(start + together, count))
            few = subsets[chosen]
            parameters = {}
            for name, weight in population.parameters.items():
                own = weight.unsqueeze(1)
                directions = noise(name, chosen).to(weight.dtype).unsqueeze(0)
                parameters[name] = torch.addcmul(own, deviation(own), directions).flatten(0, 1)
            shape = (members, len(few))
            buffers = {
                name: buffer.unsqueeze(1).expand(*shape, *buffer.shape[1:]).flatten(0, 1)
                for name, buffer in population.buffers.items()
            }
            stack = stack.with_tensors(parameters, buffers)
            x = tree_map(lambda leaf, few=few: leaf[:, few] if train.x_per_member else leaf[few].unsqueeze(0), train.x)
            x = tree_map(lambda leaf, shape=shape: leaf.expand(*shape, *leaf.shape[2:]).flatten(0, 1), x)
            outputs = stack(x, per_member=True).double()
            columns.append(judge(outputs.reshape(*shape, *outputs.shape[1:]), few.to(population.device)))
        return torch.cat(columns, dim=1)

    return judged


def subsets_of(total: int, *, draws: int, examples: int, seed: int) -> Tensor:
    """For each draw, some examples without repetition.

    Args:
        total: N.
        draws: D.
        examples: n.
        seed: Of the streams.

    Returns:
        Indices ``[D, n]`` on the CPU.
    """
    rows = [torch.randperm(total, generator=stream(seed, "noise examples", d))[:examples] for d in range(draws)]
    return torch.stack(rows)


def _directions(population: Population, draws: int, seed: int) -> Callable[[str, slice], Tensor]:
    """Standard normal numbers of one parameter for some draws, ``[d, ...]``; kept where they fit, else drawn again."""

    def drawn(name: str, chosen: slice) -> Tensor:
        weight = population.parameters[name][0]
        rows = [
            torch.randn(weight.shape, generator=stream(seed, "noise", d, name), dtype=torch.float32)
            for d in range(chosen.start, chosen.stop)
        ]
        return torch.stack(rows).to(weight.device)

    if draws * population.size * 4 > KEPT_BYTES:
        return drawn
    kept = {name: drawn(name, slice(0, draws)) for name in population.parameters}
    return lambda name, chosen: kept[name][chosen]
