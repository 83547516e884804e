"""How readily the weights would fit random labels from where they are."""

import torch
from torch import Tensor

from heldout.catalog import evidence
from heldout.engine.evidence.differentiating import stacked_outputs
from heldout.engine.population import inputs_at, stream
from heldout.engine.population.calling import placed
from heldout.engine.population.vectorising import vectorisable_kernels
from heldout.engine.subject import Subject
from heldout.records import NotApplicable

PROBES = 128  # training inputs that are labelled at random
DRAWS = 3  # of their labels


def has_classes(subject: Subject) -> None:
    """Demand labels that can be drawn at random.

    Args:
        subject: What is under study.

    Raises:
        NotApplicable: If the task is a regression.
    """
    if subject.loss.task != "classification" or subject.classes is None:
        raise NotApplicable("the task has no classes to draw at random", do="use the readings of the gradients instead")


@evidence(forward=4, backward=4, thorough=True, requires=has_classes)
def noise_fitting(subject: Subject, seed: int) -> Tensor:
    r"""What a step along the gradient of randomly labelled inputs takes off their own loss rather than off any labels', ``[M, D]``.

    With r the random labels, u the mean of the loss over all classes and w the weights, for a step of a hundredth of their length:

    .. math:: \frac{\|w\|}{100} \frac{\langle g_r, g_r - g_u \rangle}{\|g_r\|}

    Args:
        subject: What is under study.
        seed: Of the choice of inputs and of their labels, the same for all members.

    Returns:
        One number a draw of labels, float64, in units of the loss; NaN where a gradient or the weights vanish.
    """
    chosen = torch.randperm(len(subject.train), generator=stream(seed, "noise fitting"))[:PROBES]
    count, classes = len(chosen), int(subject.classes or 0)
    even = _gradient(subject, chosen, [torch.full((count,), label) for label in range(classes)])
    length = _inner(subject.population.parameters, subject.population.parameters).sqrt()
    rates = []
    for draw in range(DRAWS):
        labels = torch.randint(classes, (count,), generator=stream(seed, "random labels", draw))
        own = _gradient(subject, chosen, [labels])
        square = _inner(own, own)
        rates.append(0.01 * length * (square - _inner(own, even)) / square.sqrt())
    return torch.stack(rates, dim=1)


def _gradient(subject: Subject, chosen: Tensor, labellings: list[Tensor]) -> dict[str, Tensor]:
    """Gradient of the mean loss over the inputs and over the labellings, name -> ``[M, ...]``."""
    population = subject.population
    few = subject.train.take(chosen)
    members, block = population.chunks(few.x, per_member=few.x_per_member)
    parts = []
    for first in range(0, len(population), members):
        some = slice(first, first + members)
        parameters = {name: tensor[some].detach().requires_grad_() for name, tensor in population.parameters.items()}
        buffers = {name: tensor[some] for name, tensor in population.buffers.items()}
        total = {name: torch.zeros_like(tensor) for name, tensor in parameters.items()}
        for start in range(0, len(chosen), block):
            part = slice(start, start + block)
            x = inputs_at(few.x, part, per_member=few.x_per_member)
            x = placed(inputs_at(x, some) if few.x_per_member else x, population.device, population.dtype)
            with vectorisable_kernels(), torch.enable_grad():
                outputs = stacked_outputs(population, parameters, buffers, x, per_member=few.x_per_member).double()
                sums = [
                    subject.loss.per_example(own, labels[part].to(population.device)).sum()
                    for own in outputs
                    for labels in labellings
                ]
                loss = torch.stack(sums).sum() / (len(chosen) * len(labellings))
                found = torch.autograd.grad(loss, list(parameters.values()), allow_unused=True)
            for name, gradient in zip(parameters, found, strict=True):
                if gradient is not None:
                    total[name] += gradient
        parts.append({name: tensor.detach() for name, tensor in total.items()})
    population.tally.forward += len(population) * len(chosen)
    population.tally.backward += len(population) * len(chosen)
    return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}


def _inner(one: dict[str, Tensor], other: dict[str, Tensor]) -> Tensor:
    terms = [(one[name].double() * other[name].double()).reshape(len(one[name]), -1).sum(1) for name in one]
    return torch.stack(terms).sum(0)
