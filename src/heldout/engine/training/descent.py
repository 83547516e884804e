"""Stacked stochastic gradient descent until every member fits its training data."""

import copy
from collections.abc import Callable

import torch
from torch import Tensor
from torch.func import functional_call
from torch.utils._pytree import tree_map

from heldout.engine.population import Population, stream
from heldout.engine.population.calling import arguments_for, only_tensor, placed
from heldout.engine.population.vectorising import vectorisable_kernels
from heldout.engine.subject import Examples, Loss
from heldout.records import Refusal


def train_to_fit(
    population: Population,
    examples: Examples,
    loss: Loss,
    *,
    learning_rate: float = 0.1,
    momentum: float = 0.9,
    batch_size: int = 100,
    target_loss: float = 0.01,
    worst_loss: float = float("inf"),
    max_steps: int = 4000,
    check_every: int = 25,
    seed: int = 0,
    on_check: Callable[[int, int], None] | None = None,
) -> Population:
    """Train every member until its mean training loss, in evaluation mode on all its data, is at most the target.

    Networks are thus compared at equal training loss (Jiang et al. 2020, section 1.1 of the digest), not at equal time. Batch
    norms train member by member. A member that arrived leaves the stack. Batches of member i derive from ``(seed, i, step)``.

    Args:
        population: Initialised networks; left as they are.
        examples: Training data; labels or inputs may differ per member.
        loss: One loss an example.
        learning_rate: Of SGD.
        momentum: Of SGD.
        batch_size: Examples a step, drawn without replacement.
        target_loss: Mean training loss at which a member stops,
        worst_loss: if no example's loss is above this either; ln 2 makes every training example right under cross-entropy.
        max_steps: Where all stop.
        check_every: Steps between looks at the whole training set.
        seed: Of the batches.
        on_check: Called with the step and the number of members that have arrived.

    Returns:
        The trained population, members in their order.

    Raises:
        Refusal: If a member has not arrived after ``max_steps``, or its loss is not finite.
    """
    members, total = len(population), len(examples)
    labels = examples.labels(members).to(population.device)
    parameters = {name: tensor.clone() for name, tensor in population.parameters.items()}
    buffers = {name: tensor.clone() for name, tensor in population.buffers.items()}
    velocity = {name: torch.zeros_like(tensor) for name, tensor in parameters.items()}
    final_parameters = {name: torch.empty_like(tensor) for name, tensor in parameters.items()}
    final_buffers = {name: torch.empty_like(tensor) for name, tensor in buffers.items()}
    active = torch.arange(members, device=population.device)
    step_of = _stacked_step(population, loss)
    for step in range(1, max_steps + 1):
        index = torch.stack([
            torch.randperm(total, generator=stream(seed, "batch", int(i), step))[:batch_size] for i in active
        ]).to(population.device)
        x = tree_map(lambda leaf: _gather(leaf, index, active, examples.x_per_member), examples.x)  # noqa: B023
        gradients = step_of(
            parameters, buffers, placed(x, population.device, population.dtype), labels[active[:, None], index]
        )
        for name, gradient in gradients.items():
            velocity[name].mul_(momentum).add_(gradient)
            parameters[name] = parameters[name] - learning_rate * velocity[name]
        if step % check_every == 0 or step == max_steps:
            losses = _losses(population.with_tensors(parameters, buffers), examples, loss, labels, active)
            now = losses.mean(1)
            if not bool(torch.isfinite(now).all()):
                raise Refusal(
                    given=f"the training loss of a member is {float(now.max())} after {step} steps",
                    expected="a finite loss",
                    do="lower learning_rate",
                )
            arrived = (now <= target_loss) & (losses.amax(1) < worst_loss)
            for final, current in ((final_parameters, parameters), (final_buffers, buffers)):
                for name in final:
                    final[name][active[arrived]] = current[name][arrived]
            active = active[~arrived]
            parameters, buffers, velocity = (
                {name: tensor[~arrived] for name, tensor in part.items()} for part in (parameters, buffers, velocity)
            )
            if on_check:
                on_check(step, members - len(active))
            if len(active) == 0:
                return population.with_tensors(final_parameters, final_buffers)
    raise Refusal(
        given=f"{len(active)} of {members} networks have a training loss above {target_loss} after {max_steps} steps",
        expected="networks that fit their training data",
        do="raise max_steps, or give the networks more width",
    )


Step = Callable[[dict[str, Tensor], dict[str, Tensor], object, Tensor], dict[str, Tensor]]


def _stacked_step(population: Population, loss: Loss) -> Step:
    """Gradients of all members' mean batch losses in one backward pass; batch statistics are updated in the buffers."""
    template = copy.deepcopy(population.template).train()

    def call(parameters: dict[str, Tensor], buffers: dict[str, Tensor], x: object, y: Tensor) -> Tensor:
        arguments, keywords = arguments_for(template, x)
        outputs = only_tensor(functional_call(template, ({**parameters, **buffers},), arguments, keywords))
        return loss.per_example(outputs, y).mean()

    stacked = torch.vmap(call, in_dims=(0, 0, 0, 0), randomness="different")

    def step(parameters: dict[str, Tensor], buffers: dict[str, Tensor], x: object, y: Tensor) -> dict[str, Tensor]:
        leaves = {name: tensor.detach().requires_grad_() for name, tensor in parameters.items()}
        with torch.enable_grad(), vectorisable_kernels():
            # members are independent, so the gradient of the sum holds every member's own
            gradients = torch.autograd.grad(stacked(leaves, buffers, x, y).sum(), list(leaves.values()))
        return dict(zip(leaves, gradients, strict=True))

    return step


def _gather(leaf: Tensor, index: Tensor, active: Tensor, per_member: bool) -> Tensor:
    return leaf[active[:, None], index] if per_member else leaf[index]


def _losses(population: Population, examples: Examples, loss: Loss, labels: Tensor, active: Tensor) -> Tensor:
    x = tree_map(lambda leaf: leaf[active], examples.x) if examples.x_per_member else examples.x
    outputs = population(x, per_member=examples.x_per_member).double()
    pairs = zip(outputs, labels[active], strict=True)
    return torch.stack([loss.per_example(*pair) for pair in pairs])
