"""Losses of batches at many places near the networks: one row for every member, batch and draw."""

import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
from torch import Tensor
from torch.utils._pytree import tree_map

from heldout.engine.evidence.curvature_products import bytes_of_example
from heldout.engine.evidence.differentiating import stacked_outputs
from heldout.engine.population import Inputs, Population, stream
from heldout.engine.population.calling import placed
from heldout.engine.population.vectorising import vectorisable_kernels
from heldout.engine.subject import Subject

#: Places ``[R, P]``, and whether gradients are wanted -> losses ``[R]`` and gradients ``[R, P]`` (empty if not), float64.
Losses = Callable[[Tensor, bool], tuple[Tensor, Tensor]]

BATCH, BATCHES = 128, 8  # Andriushchenko et al. 2023: 1,024 examples in batches of 128
PERTURBED_BYTES = 256 * 2**20  # of places, gradients and what an ascent remembers, at once
REMEMBERED = 64  # bytes a parameter of a row: eight vectors of float64
SMALLEST = 1e-10  # norm by which logits are divided at least


class Rows(NamedTuple):
    """Which network, which batch and which draw each row is of, each ``[R]``."""

    member: Tensor
    batch: Tensor
    draw: Tensor


def batches_of(examples: int, seed: int) -> Tensor:
    """Examples of every batch.

    Args:
        examples: N.
        seed: Of the choice.

    Returns:
        ``[S, n]``: eight batches of 128 where there are so many, else as many as there are, else one of all examples.
    """
    order = torch.randperm(examples, generator=stream(seed, "sharpness batches"))
    size = min(BATCH, examples)
    count = min(BATCHES, examples // size)
    return order[: count * size].reshape(count, size)


def rows_of(subject: Subject, batches: Tensor, *, draws: int) -> Iterator[Rows]:
    """All members, batches and draws, as many rows at a time as fit into the memory.

    Args:
        subject: What is under study.
        batches: ``[S, n]``.
        draws: D.

    Yields:
        Rows, members first.
    """
    population = subject.population
    device = population.device
    every = torch.cartesian_prod(*(torch.arange(count) for count in (len(population), len(batches), draws)))
    activations = population.memory // (bytes_of_example(subject) * batches.shape[1])
    together = max(1, min(activations, PERTURBED_BYTES // (REMEMBERED * population.size)))
    for few in torch.split(every.to(device), together):
        yield Rows(*few.T)


def losses_near(subject: Subject, row: Rows, batches: Tensor, *, adaptive: bool, normalised: bool) -> Losses:
    """Mean losses of each row's batch at ``w + c u``, as a function of u.

    Args:
        subject: What is under study.
        row: Which networks on which batches.
        batches: ``[S, n]``.
        adaptive: c is the weight's absolute value, or else 1.
        normalised: Whether logits are centred and divided by their norm before the loss.

    Returns:
        The function, which counts its passes.
    """
    population = subject.population
    sizes = [parameter[0].numel() for parameter in population.parameters.values()]
    members = row.member
    centre = torch.cat(
        [part[members].double().reshape(len(members), -1) for part in population.parameters.values()], dim=1
    )
    scale = centre.abs() if adaptive else torch.ones_like(centre[:1])
    buffers = {name: tensor[row.member] for name, tensor in population.buffers.items()}
    x, y, shared = _data(subject, row, batches)

    def at(place: Tensor, slopes: bool) -> tuple[Tensor, Tensor]:
        with torch.set_grad_enabled(slopes), vectorisable_kernels():
            flat = torch.split((centre + scale * place).to(population.dtype), sizes, dim=1)
            leaves = {
                name: part.reshape(len(part), *parameter.shape[1:]).detach().requires_grad_(slopes)
                for part, (name, parameter) in zip(flat, population.parameters.items(), strict=True)
            }
            outputs = stacked_outputs(population, leaves, buffers, x, per_member=not shared).double()
            if normalised:
                outputs = unit_logits(outputs)
            losses = torch.stack([subject.loss.per_example(*pair).mean() for pair in zip(outputs, y, strict=True)])
            population.tally.forward += y.shape[0] * y.shape[1]
            if not slopes:
                return losses, losses.new_empty(0)
            population.tally.backward += y.shape[0] * y.shape[1]
            found = torch.autograd.grad(losses.sum(), list(leaves.values()), materialize_grads=True)
        gradient = torch.cat([part.double().reshape(len(part), -1) for part in found], dim=1)
        return losses.detach(), scale * gradient

    return at


def _data(subject: Subject, row: Rows, batches: Tensor) -> tuple[Inputs, Tensor, bool]:
    """Inputs and labels ``[R, n, ...]``; inputs ``[n, ...]`` where all rows share one batch of them."""
    population, train = subject.population, subject.train
    labels = train.labels(len(population)).to(population.device)
    few = batches.to(population.device)[row.batch]
    y = labels[row.member.unsqueeze(1), few]
    shared = len(batches) == 1 and not train.x_per_member
    chosen = batches[0] if shared else few.cpu()

    def taken(leaf: Tensor) -> Tensor:
        index = chosen.to(leaf.device)
        return leaf[row.member.to(leaf.device).unsqueeze(1), index] if train.x_per_member else leaf[index]

    return placed(tree_map(taken, train.x), population.device, population.dtype), y, shared


def unit_logits(outputs: Tensor) -> Tensor:
    """Logits centred and divided by their norm, so that their scale says nothing.

    Args:
        outputs: ``[..., C]``.

    Returns:
        Likewise; rows of equal logits are zero.

    Example:
        >>> unit_logits(torch.tensor([[3.0, 1.0, -1.0], [2.0, 2.0, 2.0]])).square().sum(-1).round(decimals=5).tolist()
        [1.0, 0.0]
    """
    centred = outputs - outputs.mean(-1, keepdim=True)
    return centred / centred.norm(dim=-1, keepdim=True).clamp(min=SMALLEST)


def direction(population: Population, seed: int, purpose: str, *, uniform: bool) -> Tensor:
    """Random numbers for every parameter, the same for all members.

    Args:
        population: Whose parameters.
        seed: Of the stream.
        purpose: Names the stream.
        uniform: From -1 to 1, or else standard normal.

    Returns:
        ``[P]``, float64.
    """
    parts = []
    for name, parameter in population.parameters.items():
        generator, count = stream(seed, purpose, name), math.prod(parameter.shape[1:])
        drawn = torch.rand(count, generator=generator) * 2 - 1 if uniform else torch.randn(count, generator=generator)
        parts.append(drawn.double())
    return torch.cat(parts).to(population.device)
