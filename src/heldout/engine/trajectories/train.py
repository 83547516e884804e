"""``heldout.train``: a training with readings along the way."""

from collections.abc import Sequence
from typing import Any

from torch import nn

from heldout.engine.population import Population
from heldout.engine.subject.losses import loss_named
from heldout.engine.training import Plan, Recipe, fit
from heldout.engine.training.batches import Batches
from heldout.engine.training.checks import check_settings
from heldout.engine.training.fit import OnProgress, prepared
from heldout.engine.trajectories.growing import Growing
from heldout.engine.trajectories.recording import measures_named, readings_of, recorded_steps
from heldout.engine.trajectories.trajectory import Trajectory
from heldout.records import Refusal

WEIGHTS = "weights"


def train(
    population: Population | nn.Module | Sequence[nn.Module],
    data: Any,
    recipe: Recipe | None = None,
    *,
    test: Any = None,
    record: Sequence[str] = ("train-loss", "train-accuracy"),
    every: str | int | Sequence[int] = "log",
    seed: int = 0,
    numbers: Sequence[int] | None = None,
    plan: Plan | None = None,
    memory: int | str | None = None,
    store: str = "",
    on_progress: OnProgress | None = None,
) -> Trajectory:
    """Train every member of a population at once, and read what is asked for along the way.

    Args:
        population: Initialised networks: :meth:`Population.of`, one module, or several of equal architecture. They are left
            as they are.
        data: Training data in any form that a Subject takes.
        recipe: How; the defaults of :class:`Recipe` unless given.
        test: Data they do not see, for readings that need them.
        record: Measures of the catalog to read, and ``"weights"`` to keep the populations themselves.
        every: When: ``"log"``, a number of steps, or a list of steps.
        seed: Of batches, dropout, label noise and everything else random.
        numbers: The members' numbers, from which their streams derive; 0 to M - 1 unless given.
        plan: How to carry it out; chosen by a short measurement unless given.
        memory: What the stacks may take together, in bytes or as ``"4GiB"``; half of what is free unless given.
        store: Directory or URL: readings, and weights where they are recorded, are kept there step by step while training goes on,
            and the trained population at its end. A killed training leaves what it had read.
        on_progress: Called with steps taken, steps in all, and members still in training.

    Returns:
        The trajectory. A member whose loss is not finite is stopped, marked and reported; the others go on.

    Raises:
        Refusal: If what is asked for cannot be trained or read, such as steps that are never taken.

    Example:
        >>> import torch
        >>> population = Population.of(lambda: torch.nn.Linear(2, 2), members=3, seed=0)
        >>> x = torch.randn(40, 2, generator=torch.Generator().manual_seed(0))
        >>> trajectory = train(population, (x, (x[:, 0] > 0).long()), Recipe(lr=0.5, batch_size=20, steps=50))
        >>> bool((trajectory["train-accuracy"].loc[50] > 0.9).all())
        True
    """
    stack = population if isinstance(population, Population) else Population(population)
    recipe = Recipe() if recipe is None else recipe
    units = measures_named(record if isinstance(record, str) else [name for name in record if name != WEIGHTS])
    check_settings(recipe, seed, numbers, len(stack), plan)
    places = list(range(len(stack))) if numbers is None else [int(number) for number in numbers]
    examples, loss = prepared(stack, data, recipe, seed, places)
    steps = recorded_steps(every, recipe.steps)
    epoch = Batches.of(recipe, len(examples), seed).per_epoch
    if record and min(steps) > recipe.steps:
        raise Refusal(
            given=f"every named steps from {min(steps)} on, and the recipe takes {recipe.steps}",
            expected="at least one step that is taken",
            do="pass every='log', or earlier steps",
        )
    rows: list[dict[str, Any]] = []
    weights: dict[int, Population] = {}
    growing = Growing.begun(store, stack, recipe, seed, places, record, steps)

    def on_record(step: int, now: Population) -> None:
        if WEIGHTS in record:
            weights[step] = now
        named = loss_named(loss, examples.y)
        read = readings_of(now, step, units, examples, test, named, stack, seed, before=rows, epoch=epoch)
        rows.extend(read)
        growing.step(step, read, weights.get(step))

    fitted = fit(
        stack, data, recipe, seed=seed, numbers=numbers, at=steps, on_record=on_record, on_progress=on_progress, plan=plan,
        memory=memory,
    )  # fmt: skip
    growing.finish(fitted)
    return Trajectory(
        initial=stack,
        final=fitted.final,
        step=tuple(fitted.step.tolist()),
        reason=fitted.reason,
        rows=tuple(rows),
        weights=weights,
        train=fitted.train,
        recipe=recipe,
        seed=seed,
        plan=fitted.plan,
        seconds=fitted.seconds,
        run=growing.run,
    )
