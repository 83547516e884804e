"""What evidence that trains networks again has in common: one member with its data, and a recipe that fits a part of the data."""

from typing import Any

import torch
from torch import Tensor

from heldout.engine.evidence.outputs import class_scores, is_classification
from heldout.engine.evidence.weights import has_initial_weights
from heldout.engine.population import Population, inputs_at
from heldout.engine.subject import Examples, Subject
from heldout.engine.training import Plan, Recipe, fit
from heldout.records import NotApplicable

PER_MEMBER = ("lr", "momentum", "weight_decay", "target_loss", "label_noise", "order")  # may be one value a member
FEWEST = 8  # training examples below which nothing can be set aside


def can_train_again(subject: Subject) -> None:
    """Demand a classification whose networks can be trained again from where they began.

    Args:
        subject: What is under study.

    Raises:
        NotApplicable: If it is a regression, the untrained networks are not known, or there are too few examples.
    """
    is_classification(subject)
    has_initial_weights(subject)
    if len(subject.train) < FEWEST:
        raise NotApplicable(f"there are only {len(subject.train)} training examples", do=f"pass at least {FEWEST}")


def untrained(subject: Subject, member: int) -> Population:
    """One member before training, as a population of one.

    Args:
        subject: With untrained networks.
        member: Which, from 0.

    Returns:
        The population; it shares the weights.
    """
    assert subject.initial is not None  # can_train_again was asked first
    return times(subject.initial, member, 1)


def times(population: Population, member: int, count: int) -> Population:
    """One member, several times.

    Args:
        population: Which it is in.
        member: Which, from 0.
        count: How often.

    Returns:
        A population of equal members.
    """

    def again(tensor: Tensor) -> Tensor:
        return tensor[member : member + 1].expand(count, *tensor.shape[1:])

    return population.with_tensors(
        {name: again(tensor) for name, tensor in population.parameters.items()},
        {name: again(tensor) for name, tensor in population.buffers.items()},
    )


def of_member(examples: Examples, member: int) -> Examples:
    """The examples as one member sees them.

    Args:
        examples: Of all members.
        member: Which, from 0.

    Returns:
        The same inputs and labels without an axis M.
    """
    x: Any = inputs_at(examples.x, member) if examples.x_per_member else examples.x
    return Examples(x, examples.y[member] if examples.y_per_member else examples.y)


def alone(recipe: Recipe, member: int, examples: int) -> Recipe:
    """The recipe of one member on so many examples.

    Args:
        recipe: Of all members.
        member: Which, from 0.
        examples: How many there are; batches are not larger.

    Returns:
        The recipe for a population of that member alone, or of it several times.
    """
    own = {name: getattr(recipe, name) for name in PER_MEMBER}
    return fitting(recipe.but(**{n: v[member] if isinstance(v, tuple) else v for n, v in own.items()}), examples)


def fitting(recipe: Recipe, examples: int) -> Recipe:
    """The recipe on fewer examples.

    Args:
        recipe: Of all members.
        examples: How many there are; batches and subsets are not larger.

    Returns:
        The recipe.
    """
    fewer = {n: min(getattr(recipe, n), examples) for n in ("batch_size", "subset") if getattr(recipe, n) is not None}
    return recipe.but(**fewer)


def trained(population: Population, examples: Examples, recipe: Recipe, *, seed: int, number: int) -> Population:
    """Train one network in one fixed way, so that the same seed gives the same bits.

    Args:
        population: Of one.
        examples: Its own.
        recipe: Its own.
        seed: Of everything random.
        number: The member's, which its randomness derives from too.

    Returns:
        The trained population of one.
    """
    with torch.enable_grad():
        return fit(population, examples, recipe, seed=seed, numbers=[number], plan=Plan(chunk=1, mapped=False)).final


def in_float64(population: Population) -> Population:
    """The same networks with weights in float64, where two examples are hardly ever equally hard.

    Args:
        population: In any precision.

    Returns:
        The population in float64.
    """
    return population.with_tensors(
        {n: t.double() if t.is_floating_point() else t for n, t in population.parameters.items()},
        {n: t.double() if t.is_floating_point() else t for n, t in population.buffers.items()},
    )


def trained_together(population: Population, member: int, sets: Examples, recipe: Recipe, *, seed: int) -> Population:
    """Train one member on many sets of examples, with the same batches and the same random numbers for all of them.

    Args:
        population: Untrained networks.
        member: Which of them.
        sets: ``[D, N]``: inputs and labels that lead with the sets.
        recipe: The member's own.
        seed: Of everything random.

    Returns:
        D trained networks.
    """
    count = len(sets.y)
    with torch.enable_grad():
        return fit(times(population, member, count), sets, recipe, seed=seed, numbers=[member] * count).final


def errors_of(subject: Subject, population: Population, examples: Examples) -> Tensor:
    """0-1 errors of every network.

    Args:
        subject: Whose task it is.
        population: M networks.
        examples: N, shared or one set a network.

    Returns:
        ``[M, N]``, float64 on the CPU.
    """
    return (answers(subject, population, examples) != examples.labels(len(population)).cpu()).double()


def answers(subject: Subject, population: Population, examples: Examples) -> Tensor:
    """The classes that networks name.

    Args:
        subject: Whose task it is.
        population: M networks.
        examples: N; labels are not looked at.

    Returns:
        ``[M, N]``.
    """
    outputs = population(examples.x, per_member=examples.x_per_member).double()
    return class_scores(subject, outputs).argmax(-1).cpu()
