"""The gradient of every example itself, formed for a few examples at a time."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.func import grad, vmap
from torch.utils._pytree import tree_map

from heldout.engine.population import Inputs, Population, inputs_at
from heldout.engine.population.vectorising import vectorisable_kernels
from heldout.engine.subject import Subject

Tensors = dict[str, Tensor]
Many = Callable[[Tensors, Tensors, Inputs, Tensor, bool], Tensors]


def example_gradients(population: Population, subject: Subject) -> Many:
    """A function that gives every example's gradient ``[m, n, ...]``; a loop where vectorising fails.

    Args:
        population: The networks.
        subject: Says what the loss is.

    Returns:
        From parameters and buffers ``[m, ...]``, inputs, labels ``[m, n, ...]`` and whether inputs lead with m, to gradients.
    """

    def loss(parameters: Tensors, buffers: Tensors, x: Inputs, y: Tensor) -> Tensor:
        outputs = population.call_one(parameters, buffers, tree_map(lambda leaf: leaf.unsqueeze(0), x))
        return subject.loss.per_example(outputs.double(), y.unsqueeze(0)).sum()

    over_examples = vmap(grad(loss), in_dims=(None, None, 0, 0))

    def stacked(parameters: Tensors, buffers: Tensors, x: Inputs, y: Tensor, per_member: bool) -> Tensors:
        return vmap(over_examples, in_dims=(0, 0, 0 if per_member else None, 0))(parameters, buffers, x, y)

    def looped(parameters: Tensors, buffers: Tensors, x: Inputs, y: Tensor, per_member: bool) -> Tensors:
        rows = []
        for member in range(y.shape[0]):
            own = {name: tensor[member] for name, tensor in parameters.items()}
            fixed = {name: tensor[member] for name, tensor in buffers.items()}
            data = inputs_at(x, member) if per_member else x
            each = [grad(loss)(own, fixed, inputs_at(data, i), y[member, i]) for i in range(y.shape[1])]
            rows.append({name: torch.stack([gradient[name] for gradient in each]) for name in own})
        return {name: torch.stack([row[name] for row in rows]) for name in rows[0]}

    working: list[Many] = []

    def either(parameters: Tensors, buffers: Tensors, x: Inputs, y: Tensor, per_member: bool) -> Tensors:
        with vectorisable_kernels(), torch.enable_grad():
            if not working:
                try:
                    stacked(parameters, buffers, inputs_at(x, slice(0, 1), per_member=per_member), y[:, :1], per_member)
                    working.append(stacked)
                except Exception:  # some kernels have no rule under vmap; one by one gives the same numbers
                    working.append(looped)
            return working[0](parameters, buffers, x, y, per_member)

    return either
