"""What chains move in: losses of every example and their gradients, for a stack of parameter vectors."""

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves, tree_map

from heldout.engine.population import Inputs, Population
from heldout.engine.population.calling import placed
from heldout.engine.population.vectorising import vectorisable_kernels
from heldout.engine.sampling.tracing import Repeated
from heldout.engine.subject import Examples, Loss

Part = tuple[str, slice, torch.Size]
Tensors = Mapping[str, Tensor]
Derivative = Callable[[Tensor, list[Tensor]], tuple[Tensor, ...]]


class Field(Protocol):
    """Losses over N examples as a function of P parameters, for C chains at once; chain c belongs to member ``members[c]``.

    Attributes:
        size: P.
        examples: N.
        centres: Where chains are centred, ``[M, P]``.
        layout: The parts of a parameter vector: name, place, shape.
    """

    size: int
    examples: int
    centres: Tensor
    layout: tuple[Part, ...]

    def gradient(self, position: Tensor, members: Tensor, index: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Losses ``[C, B]`` (float64) of examples ``index [C, B]`` or of all; gradient ``[C, P]`` of their mean, the caller's own."""
        ...

    def losses(self, position: Tensor, members: Tensor) -> Tensor:
        """Losses of all examples, ``[C, N]``, float64."""
        ...

    def hessian_product(self, position: Tensor, members: Tensor, direction: Tensor) -> Tensor:
        """Hessian of the mean loss of all examples times ``direction [C, P]``, ``[C, P]``."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class _Data:
    x: Inputs
    y: Tensor
    x_per_member: bool
    y_per_member: bool


class NetworkField:
    """The field of networks in evaluation mode: dropout is off, batch norms use the statistics of training.

    A chain's parameters are a row of one flat tensor; those that are not sampled stay where its member has them.

    Args:
        population: M networks.
        data: Examples on which losses are taken.
        loss: One an example.
        names: Parameters that are sampled.
    """

    def __init__(self, population: Population, data: Examples, loss: Loss, names: tuple[str, ...]) -> None:
        parts: list[Part] = []
        first = 0
        for name in names:
            shape = population.parameters[name].shape[1:]
            parts.append((name, slice(first, first + shape.numel()), shape))
            first += shape.numel()
        self.layout, self.size, self.examples = tuple(parts), first, len(data)
        self.population, self.loss = population, loss
        self.centres = torch.cat(
            [population.parameters[name].detach().reshape(len(population), -1) for name in names], dim=1
        )
        device, dtype = population.device, population.dtype
        y = data.y.to(device, dtype if data.y.is_floating_point() else data.y.dtype)
        self._data = _Data(placed(data.x, device, dtype), y, data.x_per_member, data.y_per_member)
        self._slopes = {kind: Repeated(self._mapped(*kind)) for kind in itertools.product((False, True), repeat=2)}

    def losses(self, position: Tensor, members: Tensor) -> Tensor:
        """Losses of all examples.

        Args:
            position: ``[C, P]``.
            members: ``[C]``.

        Returns:
            ``[C, N]``, float64.
        """
        stack = self.stack(position, members)
        x, per_member = self._inputs(members)
        outputs = stack(x, per_member=per_member).double()
        return torch.vmap(self.loss.per_example)(outputs, self._labels(members))

    def stack(self, position: Tensor, members: Tensor) -> Population:
        """The chains as a population, which counts on the same tally.

        Args:
            position: ``[C, P]``.
            members: ``[C]``.

        Returns:
            C networks.
        """
        mine = {name: position[:, place].reshape(-1, *shape) for name, place, shape in self.layout}
        others = {name: tensor[members] for name, tensor in self.population.parameters.items() if name not in mine}
        buffers = {name: tensor[members] for name, tensor in self.population.buffers.items()}
        return self.population.with_tensors({**mine, **others}, buffers)

    def gradient(self, position: Tensor, members: Tensor, index: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Losses and the gradient of their mean.

        Args:
            position: ``[C, P]``.
            members: ``[C]``.
            index: Examples ``[C, B]``; None for all.

        Returns:
            ``[C, B]``, float64, and ``[C, P]``.
        """

        def once(total: Tensor, leaves: list[Tensor]) -> tuple[Tensor, ...]:
            return torch.autograd.grad(total, leaves, allow_unused=True, materialize_grads=True)

        def part(stack: Population, x: Inputs, y: Tensor, per_member: bool) -> tuple[Tensor, list[Tensor]]:
            if len(stack) < 2 or not stack.stackable(x, per_member=per_member):
                return self._differentiated(stack, x, y, per_member, once)
            sampled = {name: stack.parameters[name] for name, _, _ in self.layout}
            others = {name: tensor for name, tensor in stack.parameters.items() if name not in sampled}
            slopes, losses = self._slopes[per_member, index is not None](sampled, (others, stack.buffers), x, y)
            return losses.double(), [slopes[name] for name in sampled]

        return self._over_examples(position, members, index, part)

    def _mapped(self, per_member: bool, batched: bool) -> Callable[..., tuple[dict[str, Tensor], Tensor]]:
        """Gradients and losses of all chains by one call."""

        def one(sampled: Tensors, rest: tuple[Tensors, Tensors], x: Inputs, y: Tensor) -> tuple[Tensor, Tensor]:
            outputs = self.population.call_one({**sampled, **rest[0]}, rest[1], x)
            # as in _called; of a minibatch's losses nothing is read but whether they are finite
            losses = self.loss.per_example(outputs if batched else outputs.double(), y)
            return losses.mean(), losses

        mapped = torch.vmap(torch.func.grad(one, has_aux=True), in_dims=(0, 0, 0 if per_member else None, 0))
        return vectorisable_kernels()(mapped)  # a replay needs no choice of kernels

    def hessian_product(self, position: Tensor, members: Tensor, direction: Tensor) -> Tensor:
        """Hessian of the mean loss of all examples times a direction.

        Args:
            position: ``[C, P]``.
            members: ``[C]``.
            direction: ``[C, P]``.

        Returns:
            ``[C, P]``.
        """
        along = [direction[:, place].reshape(-1, *shape) for _, place, shape in self.layout]

        def twice(total: Tensor, leaves: list[Tensor]) -> tuple[Tensor, ...]:
            first = torch.autograd.grad(total, leaves, create_graph=True, allow_unused=True, materialize_grads=True)
            slope = sum((g * v).sum() for g, v in zip(first, along, strict=True) if g.requires_grad)
            if not isinstance(slope, Tensor):  # a loss that is linear in every parameter
                return tuple(torch.zeros_like(leaf) for leaf in leaves)
            return torch.autograd.grad(slope, leaves, allow_unused=True, materialize_grads=True)

        def part(stack: Population, x: Inputs, y: Tensor, per_member: bool) -> tuple[Tensor, list[Tensor]]:
            return self._differentiated(stack, x, y, per_member, twice)

        return self._over_examples(position, members, None, part)[1]

    def _over_examples(
        self,
        position: Tensor,
        members: Tensor,
        index: Tensor | None,
        part: Callable[[Population, Inputs, Tensor, bool], tuple[Tensor, list[Tensor]]],
    ) -> tuple[Tensor, Tensor]:
        """Losses, and a derivative of the mean loss, summed over blocks of examples that fit into memory."""
        stack = self.stack(position.detach(), members)
        x, per_member = self._inputs(members, index)
        y = self._labels(members, index)
        examples = y.shape[1]
        block = max(1, self._block(stack, x, per_member))
        losses, whole = [], torch.zeros(())
        for start in range(0, examples, block):
            few = slice(start, start + block)
            some = tree_map(lambda leaf, few=few: leaf[:, few] if per_member else leaf[few], x)
            found, pieces = part(stack, some, y[:, few], per_member)
            losses.append(found)
            slope = torch.cat([piece.flatten(1) for piece in pieces], dim=1)
            if block < examples:
                slope.mul_(found.shape[1] / examples)
            whole = slope if start == 0 else whole.add_(slope)
        self.population.tally.forward += examples * len(stack)
        self.population.tally.backward += examples * len(stack)
        return losses[0] if len(losses) == 1 else torch.cat(losses, dim=1), whole

    def _differentiated(
        self, stack: Population, x: Inputs, y: Tensor, per_member: bool, derivative: Derivative
    ) -> tuple[Tensor, list[Tensor]]:
        leaves = [stack.parameters[name].requires_grad_() for name, _, _ in self.layout]
        with torch.enable_grad(), vectorisable_kernels():
            found = self._called(stack, x, y, per_member)
            return found.detach(), list(derivative(found.mean(1).sum(), leaves))

    def _called(self, stack: Population, x: Inputs, y: Tensor, per_member: bool) -> Tensor:
        def one(parameters: Tensors, buffers: Tensors, x: Inputs, y: Tensor) -> Tensor:
            # losses of well-fitted networks are differences of nearly equal numbers: float64 from the outputs on
            return self.loss.per_example(stack.call_one(parameters, buffers, x).double(), y)

        if len(stack) > 1 and stack.stackable(x, per_member=per_member):
            mapped = torch.vmap(one, in_dims=(0, 0, 0 if per_member else None, 0))
            return mapped(stack.parameters, stack.buffers, x, y)
        rows = [one(*stack.tensors(c), tree_map(lambda leaf, c=c: leaf[c], x) if per_member else x, y[c])
                for c in range(len(stack))]  # fmt: skip
        return torch.stack(rows)

    def _block(self, stack: Population, x: Inputs, per_member: bool) -> int:
        members, block = stack.chunks(x, per_member=per_member)
        # the call's plan is for some members at a time and for outputs alone; here all are held, and twice
        return members * block // (2 * len(stack))

    def _inputs(self, members: Tensor, index: Tensor | None = None) -> tuple[Inputs, bool]:
        data = self._data
        own = len(self.centres) > 1 and data.x_per_member
        if index is None:
            if not data.x_per_member:
                return data.x, False
            return tree_map(lambda leaf: leaf[members] if own else leaf[0], data.x), own
        if data.x_per_member:
            return tree_map(lambda leaf: leaf[members[:, None], index], data.x), True
        flat = index.flatten().to(tree_leaves(data.x)[0].device)
        return tree_map(lambda leaf: leaf.index_select(0, flat).view(*index.shape, *leaf.shape[1:]), data.x), True

    def _labels(self, members: Tensor, index: Tensor | None = None) -> Tensor:
        y = self._data.y
        if index is None:
            return y[members] if self._data.y_per_member else y.unsqueeze(0).expand(len(members), *y.shape)
        return y[members[:, None], index] if self._data.y_per_member else y[index]
