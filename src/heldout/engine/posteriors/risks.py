"""The surrogate risk of a Gibbs predictor on a batch: what a posterior's training differentiates."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.func import functional_call
from torch.utils._pytree import tree_map

from heldout.engine.population import Population
from heldout.engine.population.calling import arguments_for, only_tensor
from heldout.engine.posteriors.dense import dense_layers, drawn_template, noise_of
from heldout.engine.posteriors.mapping import Tensors, of_members
from heldout.engine.posteriors.objectives import surrogate
from heldout.engine.posteriors.settings import Settings
from heldout.engine.subject import Examples

Risk = Callable[[Tensors, Tensors, Examples, torch.Generator], Tensor]  # means, scales, a batch, noise -> [M]


def surrogate_risk(population: Population, examples: Examples, *, binary: bool, settings: Settings) -> Risk:
    """The surrogate risk of a Gibbs predictor on a batch, with one draw an example where dense, one a batch otherwise.

    Args:
        population: The architecture.
        examples: Of which the first is tried.
        binary: Whether the outputs are logits of class 1.
        settings: Of the surrogate loss.

    Returns:
        A function of means, scales, a batch and the noise's generator, which gives ``[M]``.
    """
    first = examples.take(slice(0, 1))
    example = first.x if not first.x_per_member else tree_map(lambda leaf: leaf[0], first.x)
    layers = dense_layers(population, example)
    if len(population) > 1:
        population.stackable(first.x, per_member=first.x_per_member)  # tried here, outside of any differentiation
    if not layers:
        return _by_weights(population, binary, settings)
    template = drawn_template(population, layers)

    def risk(means: Tensors, scales: Tensors, batch: Examples, generator: torch.Generator) -> Tensor:
        noise = noise_of(layers, len(batch), generator, next(iter(means.values())))
        own = {**means, **{f"{name}_scale": scale for name, scale in scales.items()}, **population.buffers}

        def one(tensors: Tensors, x: Any, y: Tensor) -> Tensor:
            arguments, keywords = arguments_for(population.template, x)
            outputs = only_tensor(functional_call(template, ({**tensors, **noise},), arguments, keywords))
            return surrogate(outputs, y, binary=binary, floor=settings.floor, unit=settings.unit).mean()

        return of_members(one, population, own, batch)

    return risk


def _by_weights(population: Population, binary: bool, settings: Settings) -> Risk:
    def risk(means: Tensors, scales: Tensors, batch: Examples, generator: torch.Generator) -> Tensor:
        weights = {
            name: mean + scales[name] * torch.randn(mean.shape[1:], generator=generator).to(mean)
            for name, mean in means.items()
        }

        def one(tensors: Tensors, x: Any, y: Tensor) -> Tensor:
            parameters = {name: tensors[name] for name in weights}
            buffers = {name: tensors[name] for name in population.buffers}
            outputs = population.call_one(parameters, buffers, x)
            return surrogate(outputs, y, binary=binary, floor=settings.floor, unit=settings.unit).mean()

        return of_members(one, population, {**weights, **population.buffers}, batch)

    return risk
