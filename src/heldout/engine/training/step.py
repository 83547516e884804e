"""One training step of a stack: gather, gradients of all members at once, update; one function that may be compiled."""

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad_and_value
from torch.utils._pytree import tree_map

from heldout.engine.population import Inputs
from heldout.engine.population.calling import arguments_for, only_tensor
from heldout.engine.subject import Loss
from heldout.engine.training.optimizers import Rates, Tensors, updated
from heldout.engine.training.recipe import Recipe
from heldout.engine.training.templates import key_names


class State(NamedTuple):
    """A stack under training; every tensor leads with its members."""

    parameters: Tensors  # those that are trained
    buffers: Tensors  # and parameters that are not
    memory: Tensors


class Data(NamedTuple):
    """The training set as a step takes it."""

    x: Inputs  # [N, ...], or [m, N, ...] where each member has its own
    y: Tensor  # likewise
    x_per_member: bool
    y_per_member: bool


class Draw(NamedTuple):
    """What differs from step to step."""

    indices: Tensor | None  # [m, B]; None for the whole set in its order
    key: Tensor  # [m]
    rates: Rates


Step = Callable[[State, Data, Draw, Tensors], tuple[State, Tensor]]


def make_step(template: nn.Module, loss: Loss, recipe: Recipe, *, mapped: bool = True) -> Step:
    """The step of a recipe.

    Args:
        template: As from :func:`~heldout.engine.training.templates.training_template`.
        loss: One an example.
        recipe: How it is trained.
        mapped: Whether members are vectorised; otherwise the stack holds one member, which is called plainly.

    Returns:
        ``step(state, data, draw, own) -> (state, losses [m])``, where ``own`` holds what interventions keep for each member.
    """
    gradient = _member_gradient(template, loss, recipe)

    def gradients(
        state: State, x: Inputs, y: Tensor, key: Tensor, shared: tuple[bool, bool]
    ) -> tuple[Tensors, Tensors, Tensor]:
        if not mapped:
            x, y = x if shared[0] else _first(x), y if shared[1] else y[0]
            return tree_map(
                lambda leaf: leaf[None], gradient(_first(state.parameters), _first(state.buffers), x, y, key[0])
            )
        dims = (0, 0, None if shared[0] else 0, None if shared[1] else 0, 0)
        return torch.vmap(gradient, in_dims=dims)(state.parameters, state.buffers, x, y, key)

    def step(state: State, data: Data, draw: Draw, own: Tensors) -> tuple[State, Tensor]:
        x, y = _gathered(data, draw.indices)
        shared = (draw.indices is None and not data.x_per_member, draw.indices is None and not data.y_per_member)
        found, buffers, value = gradients(state, x, y, draw.key, shared)
        if recipe.optimizer == "sam":
            norm = torch.stack([g.square().flatten(1).sum(1) for g in found.values()]).sum(0).sqrt() + 1e-12
            moved = {
                name: weight + recipe.rho * found[name] / norm.view(-1, *[1] * (weight.ndim - 1))
                for name, weight in state.parameters.items()
            }
            found, _, _ = gradients(state._replace(parameters=moved), x, y, draw.key, shared)
        for piece in recipe.interventions:
            found = _each_member(piece.gradient, mapped)(found, state.parameters, draw.key)
        after, memory = updated(recipe, state.parameters, found, state.memory, draw.rates)
        for piece in recipe.interventions:
            after = _each_member(piece.update, mapped)(state.parameters, after, own)
        return State(after, buffers, memory), value

    return step


def _member_gradient(
    template: nn.Module, loss: Loss, recipe: Recipe
) -> Callable[[Tensors, Tensors, Inputs, Tensor, Tensor], tuple[Tensors, Tensors, Tensor]]:
    """Gradient, new buffers and loss of one member on one batch."""
    keyed = key_names(template)
    frozen = {name for name, parameter in template.named_parameters() if not parameter.requires_grad}
    kept_apart = [piece for piece in recipe.interventions if piece.parts != 1]

    def objective(parameters: Tensors, buffers: Tensors, x: Inputs, y: Tensor, key: Tensor) -> tuple[Tensor, Tensors]:
        # batch statistics are written into these
        changed = {name: tensor.clone() for name, tensor in buffers.items() if name not in frozen}
        tensors = {**buffers, **parameters, **changed, **dict.fromkeys(keyed, key)}
        arguments, keywords = arguments_for(template, x)
        outputs = only_tensor(functional_call(template, tensors, arguments, keywords))
        losses = loss.per_example(outputs, y)
        for piece in recipe.interventions:
            losses = piece.losses(outputs, y, losses, key)
        return losses.mean(), changed

    differentiated = grad_and_value(objective, has_aux=True)

    def gradient(
        parameters: Tensors, buffers: Tensors, x: Inputs, y: Tensor, key: Tensor
    ) -> tuple[Tensors, Tensors, Tensor]:
        for piece in recipe.interventions:
            x, y = piece.batch(x, y, key)
        if not kept_apart:
            found, (value, changed) = differentiated(parameters, buffers, x, y, key)
            return found, {**buffers, **changed}, value
        count = kept_apart[0].parts or len(y)
        apart = tree_map(lambda leaf: leaf.reshape(count, -1, *leaf.shape[1:]), (x, y))
        parts = torch.vmap(differentiated, in_dims=(None, None, 0, 0, None))
        found, (value, changed) = parts(parameters, buffers, apart[0], apart[1], key)
        averaged = tree_map(lambda leaf: leaf.double().mean(0).to(leaf.dtype), changed)
        return kept_apart[0].combine(found), {**buffers, **averaged}, value.mean()

    return gradient


def _each_member(hook: Callable[..., Tensors], mapped: bool) -> Callable[..., Tensors]:
    if mapped:
        return torch.vmap(hook)
    return lambda *parts: tree_map(lambda leaf: leaf[None], hook(*_first(parts)))


def _first(parts: Any) -> Any:
    return tree_map(lambda leaf: leaf[0], parts)


def _gathered(data: Data, index: Tensor | None) -> tuple[Inputs, Tensor]:
    if index is None:
        return data.x, data.y
    rows = torch.arange(len(index), device=index.device)[:, None]

    def gather(leaf: Tensor, per_member: bool) -> Tensor:
        if per_member:
            return leaf[rows, index]
        return leaf.index_select(0, index.flatten()).view(
            *index.shape, *leaf.shape[1:]
        )  # faster than indexing by a matrix

    return tree_map(lambda leaf: gather(leaf, data.x_per_member), data.x), gather(data.y, data.y_per_member)
