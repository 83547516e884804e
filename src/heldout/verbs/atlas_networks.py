"""The networks of the atlas, trained again bucket by bucket, so that a measure of the user's own can be read on them."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from heldout.catalog import units
from heldout.catalog.studies import cells
from heldout.engine.subject import Examples, Subject
from heldout.engine.training import Recipe
from heldout.engine.trajectories.arriving import Arm, gathered
from heldout.studies.atlas import VARIED, examples_of, trained, unseen
from heldout.verbs.population_ledger import Networks


def atlas_networks(grid: Mapping[str, Any] | None = None, *, seed: int = 0) -> list[Callable[[], Networks | None]]:
    """Buckets of the study ``atlas``: one architecture, size and training set each.

    Args:
        grid: Of the study; that of the table that ships unless given.
        seed: Of the study.

    Returns:
        Functions that train a bucket when they are called; networks that share a stack are trained together, once.
    """
    grid = units("study")["atlas"].fields["sizes"]["laptop"] if grid is None else grid

    @cache
    def arms(task: str, width: int, depth: int, vary: str, size: int, seeds: int, steps: int, loss: float) -> list[Arm]:
        sets = [examples_of(task, size, seed, number) for number in range(seeds)]
        recipe = Recipe(steps=steps, stop="loss", target_loss=loss)
        axes = VARIED[vary]
        return [trained(sets, recipe.but(batch_size=int(batch)), axes, width, depth, seed) for batch in axes["batch"]]

    def made(cell: Mapping[str, Any], size: int, number: int) -> Networks | None:
        task, width, depth = cell["task"], cell["width"], cell["depth"]
        together = arms(task, width, depth, cell["vary"], size, cell["seeds"], cell["steps"], cell["target_loss"])
        arrived, found = gathered(together, number)
        if arrived is None:
            return None
        data = Examples(examples_of(task, size, seed, number).x, arrived.labels, y_per_member=True)
        fixed = {"task": task, "width": width, "depth": depth, "size": size, "seed": number}
        varied = [dict(zip(found, values, strict=True)) for values in zip(*found.values(), strict=True)]
        settings = tuple({**fixed, **{key: one[key] for key in ("rate", "batch", "decay", "noise")}} for one in varied)
        subject = Subject(arrived.final, data, initial=arrived.initial)
        return Networks(f"atlas {fixed} {cell['vary']}", settings, subject, unseen(task, cell["test_size"], seed))

    return [
        lambda cell=cell, size=int(size), number=number: made(cell, size, number)  # type: ignore[misc]
        for cell in cells(grid)
        for size in VARIED[cell["vary"]]["size"]
        for number in range(cell["seeds"])
    ]
