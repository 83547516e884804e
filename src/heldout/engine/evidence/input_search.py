"""What lies near the training inputs: other predictions in a small box, and how fast the loss changes."""

import torch
from torch import Tensor
from torch.func import grad
from torch.utils._pytree import tree_leaves

from heldout.catalog import evidence
from heldout.engine.evidence.mixing import can_be_changed
from heldout.engine.population import Population, stream
from heldout.engine.population.calling import placed
from heldout.engine.population.vectorising import vectorisable_kernels
from heldout.engine.subject import Subject
from heldout.records import NotApplicable

MOST = 256  # training examples that are looked at
STEPS = 12
BOX = 0.05  # half the edge of the box, as a share of the inputs' range


def one_tensor_of_numbers(subject: Subject) -> None:
    """Demand a classification of inputs that are one tensor of numbers.

    Args:
        subject: What is under study.

    Raises:
        NotApplicable: If they are several, or no numbers that could be moved a little.
    """
    can_be_changed(subject)
    if len(tree_leaves(subject.train.x)) > 1:
        raise NotApplicable("the inputs are several tensors", do="wrap the network so that it takes one")


@evidence(forward=2, backward=1, requires=one_tensor_of_numbers)
def critical_samples(subject: Subject, seed: int) -> Tensor:
    """Whether another class is predicted somewhere in a box around a training input, ``[M, n]``; n is at most 256.

    The box reaches a twentieth of the inputs' range to every side. As many examples are looked at as one backward sweep
    over the training set pays for; all members see the same ones.

    Args:
        subject: What is under study.
        seed: Of the choice and of the search.

    Returns:
        1 where another class was found, float64.
    """
    train = subject.train
    count = min(MOST, len(train), max(8, len(train) // (STEPS + 2)))
    few = train.take(torch.randperm(len(train), generator=stream(seed, "critical samples"))[:count])
    x = placed(few.x, subject.population.device, subject.population.dtype)
    spread = float(x.max() - x.min())
    own = x if few.x_per_member else x.expand(len(subject.population), *x.shape)
    return changed_classes(subject.population, own, BOX * spread, seed=seed)


@evidence(forward=0.5, backward=0.5, requires=one_tensor_of_numbers)
def input_gradients(subject: Subject, seed: int) -> Tensor:
    """Sum of the absolute gradient of an example's loss over its input, ``[M, n]``; n is at most 256, half the training set.

    Args:
        subject: What is under study.
        seed: Of the choice of examples.

    Returns:
        L1 norms, float64.
    """
    train, population = subject.train, subject.population
    count = min(MOST, max(1, len(train) // 2))
    few = train.take(torch.randperm(len(train), generator=stream(seed, "input gradients"))[:count])
    x = placed(few.x, population.device, population.dtype)
    labels = few.labels(len(population)).to(population.device)
    own = x if few.x_per_member else x.expand(len(population), *x.shape)

    def summed(inputs: Tensor, parameters: dict[str, Tensor], buffers: dict[str, Tensor], y: Tensor) -> Tensor:
        # examples do not meet in evaluation mode, so the gradient of the sum holds every example's own
        return subject.loss.per_example(population.call_one(parameters, buffers, inputs), y).sum()

    found = _of_members(population, grad(summed), own, labels)
    return found.double().abs().flatten(2).sum(-1)


def changed_classes(
    population: Population, x: Tensor, radius: float, *, seed: int, steps: int = STEPS, noise: float = 0.5
) -> Tensor:
    """Langevin search for another class (Arpit et al. 2017, algorithm 1, LASS).

    Steps of a quarter of the radius against the sign of the gradient of the predicted logit's lead, with Gaussian noise of half
    that size, inside the box.

    Args:
        population: The networks.
        x: Inputs of each member, ``[M, n, ...]``.
        radius: Half the edge of the box.
        seed: Of the noise, which all members share.
        steps: Of the search.
        noise: Its standard deviation in units of a step.

    Returns:
        1 where another class was found, ``[M, n]``, float64.
    """
    own = population(x, per_member=True).argmax(-1)
    found, moved = torch.zeros(own.shape, dtype=torch.bool, device=x.device), x
    size = radius / 4

    def lead(inputs: Tensor, parameters: dict[str, Tensor], buffers: dict[str, Tensor], y: Tensor) -> Tensor:
        scores = population.call_one(parameters, buffers, inputs)
        label = scores.gather(-1, y[:, None]).squeeze(-1)
        return (label - scores.scatter(-1, y[:, None], -torch.inf).amax(-1)).sum()

    for step in range(steps):
        away = _of_members(population, grad(lead), moved, own)
        draw = torch.randn(x.shape[1:], generator=stream(seed, "box search", step)).to(x)
        moved = moved - size * (away.sign() + noise * draw)
        moved = torch.maximum(torch.minimum(moved, x + radius), x - radius)
        found |= population(moved, per_member=True).argmax(-1) != own
    return found.double()


def _of_members(population: Population, function: object, x: Tensor, y: Tensor) -> Tensor:
    examples = x.shape[0] * x.shape[1]
    population.tally.forward += examples
    population.tally.backward += examples
    with torch.no_grad(), vectorisable_kernels():
        if len(population) > 1 and population.stackable(x, per_member=True):
            return torch.vmap(function, chunk_size=16)(x, population.parameters, population.buffers, y)  # type: ignore[arg-type]
        rows = [function(x[m], *population.tensors(m), y[m]) for m in range(len(population))]  # type: ignore[operator]
    return torch.stack(rows)
