"""What a Gibbs predictor does on examples: one draw for every example, or some draws judged on all of them."""

from typing import Any

import torch
from torch import Tensor
from torch.func import functional_call
from torch.utils._pytree import tree_map

from heldout.engine.population import Population, inputs_at, stream
from heldout.engine.population.calling import arguments_for, only_tensor, placed
from heldout.engine.posteriors.dense import dense_layers, drawn_template, noise_of
from heldout.engine.posteriors.gaussian import Gaussian, drawn
from heldout.engine.posteriors.mapping import Tensors, of_members
from heldout.engine.posteriors.objectives import zero_one
from heldout.engine.subject import Examples

BYTES = 64 * 2**20  # of weights and activations drawn together
BLOCK = 4096  # examples whose noise is drawn together


def per_example(
    gaussian: Gaussian, examples: Examples, *, draws: int, binary: bool, seed: int, purpose: str = "one draw an example"
) -> Tensor:
    """0-1 errors with weights of its own for every example and repetition.

    For networks of dense layers pre-activations are drawn instead of weights, which is exact; otherwise weights are drawn for
    every example. Conditionally on the examples, all entries of a member are independent, each with the Gibbs predictor's chance
    of an error on that example; members share the noise.

    Args:
        gaussian: Of M members.
        examples: N.
        draws: D, repetitions.
        binary: Whether the outputs are logits of class 1.
        seed: Of the draws.
        purpose: Names the stream.

    Returns:
        Whether each answer is wrong, ``[M, D, N]``.
    """
    centre = gaussian.centre
    examples = Examples(
        placed(examples.x, centre.device, centre.dtype), examples.y.to(centre.device), examples.x_per_member,
        examples.y_per_member,
    )  # fmt: skip
    layers = dense_layers(centre, _first(examples))
    block = BLOCK if layers else max(1, BYTES // (centre.size * 8))
    rows, blocks = torch.arange(draws * len(examples)) % len(examples), []
    for start in range(0, len(rows), block):
        batch, noise = examples.take(rows[start : start + block]), stream(seed, purpose, start)
        blocks.append(
            _dense(gaussian, layers, batch, noise, binary) if layers else _weights(gaussian, batch, noise, binary)
        )
    return torch.cat(blocks, dim=1).reshape(len(centre), draws, len(examples))


def per_draw(
    gaussian: Gaussian, examples: Examples, *, draws: int, binary: bool, seed: int, purpose: str = "whole draws"
) -> Tensor:
    """0-1 errors of whole networks that are drawn: only the draws are independent, not the errors of one of them.

    Args:
        gaussian: Of M members.
        examples: N.
        draws: D of each member.
        binary: Whether the outputs are logits of class 1.
        seed: Of the draws.
        purpose: Names the stream.

    Returns:
        Whether each answer is wrong, ``[M, D, N]``.
    """
    centre, members, rows = gaussian.centre, len(gaussian.centre), []
    together = max(1, BYTES // (centre.size * 4 * members))
    labels = examples.labels(members).to(centre.device).unsqueeze(1)
    for start in range(0, draws, together):
        count = min(together, draws - start)
        many = drawn(gaussian, count, seed=seed, purpose=purpose, first=start)
        x = (
            tree_map(lambda leaf, n=count: leaf.repeat_interleave(n, 0), examples.x)
            if examples.x_per_member
            else examples.x
        )
        outputs = many(x, per_member=examples.x_per_member)
        outputs = outputs.reshape(members, count, *outputs.shape[1:])
        rows.append(zero_one(outputs, labels.expand(members, count, -1), binary=binary))
    return torch.cat(rows, dim=1)


def _first(examples: Examples) -> Any:
    first = examples.take(slice(0, 1)).x
    return tree_map(lambda leaf: leaf[0], first) if examples.x_per_member else first


@torch.no_grad()
def _dense(
    gaussian: Gaussian, layers: dict[str, int], batch: Examples, generator: torch.Generator, binary: bool
) -> Tensor:
    centre, template = gaussian.centre, drawn_template(gaussian.centre, layers)
    noise = noise_of(layers, len(batch), generator, next(iter(centre.parameters.values())))
    scales = {
        f"{name}_scale": gaussian.log_scales[name].exp().to(mean).expand_as(mean)
        for name, mean in centre.parameters.items()
    }

    def one(tensors: Tensors, x: Any, y: Tensor) -> Tensor:
        arguments, keywords = arguments_for(centre.template, x)
        outputs = only_tensor(functional_call(template, ({**tensors, **noise},), arguments, keywords))
        return zero_one(outputs, y, binary=binary)

    wrong = of_members(one, centre, {**centre.parameters, **scales, **centre.buffers}, batch)
    centre.tally.forward += wrong.numel()
    return wrong


@torch.no_grad()
def _weights(gaussian: Gaussian, batch: Examples, generator: torch.Generator, binary: bool) -> Tensor:
    centre, rows = gaussian.centre, []
    noise = {
        name: torch.randn(len(batch), *mean.shape[1:], generator=generator) for name, mean in centre.parameters.items()
    }
    labels = batch.labels(len(centre))
    for member in range(len(centre)):  # weights of every example are a population: members one by one
        parameters = {
            name: mean[member] + gaussian.log_scales[name][member].exp().to(mean) * noise[name].to(mean)
            for name, mean in centre.parameters.items()
        }
        buffers = {n: b[member].expand(len(batch), *b.shape[1:]) for n, b in centre.buffers.items()}
        x = inputs_at(batch.x, member) if batch.x_per_member else batch.x
        own = tree_map(lambda leaf: leaf.unsqueeze(1), x)
        outputs = centre.with_tensors(parameters, buffers)(own, per_member=True).squeeze(1)
        rows.append(zero_one(outputs, labels[member], binary=binary))
    return torch.stack(rows)


def network_errors(population: Population, examples: Examples, *, binary: bool) -> Tensor:
    """0-1 errors of the networks themselves.

    Args:
        population: M networks.
        examples: N.
        binary: Whether the outputs are logits of class 1.

    Returns:
        Whether each answer is wrong, ``[M, N]``.
    """
    outputs = population(examples.x, per_member=examples.x_per_member)
    return zero_one(outputs, examples.labels(len(population)).to(outputs.device), binary=binary)
