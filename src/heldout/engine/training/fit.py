"""Train a whole population: stacks of members, step by step, until each has arrived."""

import time
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from heldout.engine.population import Population, stream
from heldout.engine.population.calling import placed
from heldout.engine.subject import Examples, as_examples
from heldout.engine.subject.checks import data_faults
from heldout.engine.subject.examples import with_class_numbers
from heldout.engine.subject.losses import Loss, loss_named
from heldout.engine.training.batches import Batches
from heldout.engine.training.checks import Work, check_settings, check_work
from heldout.engine.training.plans import Plan
from heldout.engine.training.recipe import Recipe
from heldout.engine.training.stacks import Stacks
from heldout.engine.training.stopping import Stopping
from heldout.records import Refusal, refuse

OnRecord = Callable[[int, Population], None]
OnProgress = Callable[[int, int, int], None]


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """What a training gave.

    Attributes:
        final: The trained population, members in their order.
        step: At which each member stopped, ``[M]``.
        reason: Why: ``"steps"``, ``"loss"``, ``"fit"``, ``"plateau"`` or ``"not finite"``.
        train: The training set as the members saw it: labels with their noise.
        plan: How it was carried out.
        seconds: Wall-clock time.
    """

    final: Population
    step: Tensor
    reason: tuple[str, ...]
    train: Examples
    plan: Plan
    seconds: float


def fit(
    population: Population,
    data: Any,
    recipe: Recipe,
    *,
    seed: int = 0,
    numbers: Sequence[int] | None = None,
    at: Iterable[int] = (),
    on_record: OnRecord | None = None,
    on_progress: OnProgress | None = None,
    plan: Plan | None = None,
    memory: int | str | None = None,
) -> Fitted:
    """Train every member of a population by a recipe.

    Batches, dropout, label noise and everything else random derive from ``(seed, member's number, step)``: a member trained
    alone under its number follows the trajectory that it has in a population of any size.

    Args:
        population: Initialised networks; left as they are.
        data: Training data in any form that a Subject takes.
        recipe: How.
        seed: Of everything random.
        numbers: The members' numbers; 0 to M - 1 unless given.
        at: Steps at which ``on_record`` is called, 0 being before the first.
        on_record: Called with the step and the population as it then is; members that stopped stay as they stopped.
        on_progress: Called now and then with steps taken, steps in all, and members still in training.
        plan: How to carry it out; chosen by a short measurement unless given.
        memory: What the stacks may take together, in bytes or as ``"4GiB"``; half of what is free unless given.

    Returns:
        The trained population, and when and why each member stopped. What does not fit, data, batch size or a sequence of the
        recipe, is refused before the first step.
    """
    started, members = time.perf_counter(), len(population)
    check_settings(recipe, seed, numbers, members, plan)
    numbers = list(range(members)) if numbers is None else [int(number) for number in numbers]
    examples, loss = prepared(population, data, recipe, seed, numbers)
    batches = Batches.of(recipe, len(examples), seed)
    if plan is None:
        from heldout.engine.training.choosing import chosen_plan

        plan = chosen_plan(population, examples, loss, recipe, batches, seed, numbers, memory=memory)
    stopping = Stopping.of(recipe, members)
    with Stacks(population, examples, loss, recipe, batches, seed, numbers, plan) as stacks:
        record_at = {step for step in at if 0 <= step <= recipe.steps} if on_record else set()
        if 0 in record_at and on_record:
            on_record(0, stacks.whole())
        step, marks = 0, [*sorted(record_at), recipe.steps]
        while step < recipe.steps and stopping.active:
            following = min(marks[bisect_right(marks, step)], (step // recipe.check_every + 1) * recipe.check_every)
            stopping.lose(stacks.advance(step, following), following)
            step = following
            if stopping.looks and (step % recipe.check_every == 0 or step == recipe.steps):
                alive = stopping.active
                losses, wrong = stacks.looked(alive)
                stopping.check(alive, losses, wrong, step)
            if step == recipe.steps:
                stopping.finish(step)
            stacks.keep(stopping.active)
            if step in record_at and on_record:
                on_record(step, stacks.whole())
            if on_progress:
                on_progress(step, recipe.steps, len(stopping.active))
        if recipe.steps == 0:
            stopping.finish(0)
        for late in sorted(s for s in record_at if s > step):
            if on_record:
                on_record(late, stacks.whole())
        final = stacks.whole()
    return Fitted(final, stopping.step, tuple(stopping.reason), examples, plan, time.perf_counter() - started)


def prepared(
    population: Population, data: Any, recipe: Recipe, seed: int, numbers: Sequence[int]
) -> tuple[Examples, Loss]:
    """The training set on the networks' device, with label noise, and the loss.

    Args:
        population: The networks.
        data: In any form that a Subject takes.
        recipe: Says loss and noise.
        seed: Of the noise.
        numbers: The members' numbers.

    Returns:
        Examples and loss. Data, networks, loss and recipe that do not fit each other are refused.
    """
    check_settings(recipe, seed, numbers, len(population))
    examples = as_examples(data, "data")
    loss = loss_named(recipe.loss, examples.y)
    if loss.task == "classification":
        examples = with_class_numbers(examples)
    refuse(data_faults(examples, "data", len(population)))
    check_work(Work(population, examples, loss), recipe, Batches.of(recipe, len(examples), seed).size)
    y = examples.y
    noise = recipe.each("label_noise", range(len(numbers)))
    if bool((noise > 0).any()):
        y = _noisy(replace(examples, y=y), noise, seed, numbers, loss)
        examples = replace(examples, y=y, y_per_member=True)
    x = placed(examples.x, population.device, population.dtype)
    return replace(examples, x=x, y=y.to(population.device)), loss


def _noisy(examples: Examples, noise: Tensor, seed: int, numbers: Sequence[int], loss: Loss) -> Tensor:
    if loss.task != "classification":
        raise Refusal(
            given=f"label_noise with loss '{loss.name}'",
            expected="class labels to draw anew",
            do="add noise to the targets yourself",
        )
    classes = int(examples.y.max()) + 1
    labels = examples.labels(len(numbers)).clone()
    for place, number in enumerate(numbers):
        draw = stream(seed, "label noise", number)
        hit = torch.rand(len(examples), generator=draw) < float(noise[place])
        anew = torch.randint(0, classes, (len(examples),), generator=draw)
        labels[place] = torch.where(hit.to(labels.device), anew.to(labels.device), labels[place])
    return labels
