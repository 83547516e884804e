"""From a grid to buckets: what changes shapes or the course of a whole stack splits, what is one number a member does not."""

import difflib
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from torch import nn

from heldout.catalog.studies import cells
from heldout.engine.training import Recipe
from heldout.engine.training.recipe import EACH
from heldout.records import Refusal

MOST = 64  # members of a bucket: a killed worker loses at most the training of so many


@dataclass(frozen=True, slots=True)
class Bucket:
    """Members of one architecture that are trained as one population.

    Attributes:
        arguments: Of the network's factory.
        recipe: With one value a member where they differ.
        numbers: From which each member's initialisation and batches derive: its seed's place.
        settings: The grid's fields of each member, and its seed.
    """

    arguments: Mapping[str, Any]
    recipe: Recipe
    numbers: tuple[int, ...]
    settings: tuple[Mapping[str, Any], ...]


def buckets_of(
    grid: Mapping[str, Any], network: Callable[..., nn.Module], recipe: Recipe, seeds: int, *, most: int = MOST
) -> list[Bucket]:
    """Cut a grid into buckets.

    Args:
        grid: Field -> value or list of values. A field is a parameter of the network's factory or a field of the recipe.
        network: The factory.
        recipe: What the grid does not say.
        seeds: Members for each cell. Members of one seed share initialisation and batches wherever their shapes agree.
        most: Members of a bucket.

    Returns:
        The buckets, in the grid's order.
    """
    accepted = check_grid(grid, network, recipe, seeds)
    groups: dict[str, list[tuple[dict[str, Any], int]]] = {}
    for cell in cells(grid):
        shared = {key: value for key, value in cell.items() if key not in EACH}
        groups.setdefault(repr(sorted(shared.items(), key=lambda pair: pair[0])), []).extend(
            (cell, seed) for seed in range(seeds)
        )
    return [
        _bucket(members[start : start + most], accepted, recipe)
        for members in groups.values()
        for start in range(0, len(members), most)
    ]


def check_grid(grid: Mapping[str, Any], network: Callable[..., nn.Module], recipe: Recipe, seeds: int) -> set[str]:
    """Refuse a grid with a field that nobody takes.

    Args:
        grid: Field -> value or list of values.
        network: The factory.
        recipe: Any.
        seeds: Members for each cell.

    Returns:
        Fields that the factory takes.

    Raises:
        Refusal: If a field is neither the factory's nor the recipe's, or both, or a value is out of its range.
    """
    check_kinds(grid, network, recipe)
    if not isinstance(seeds, int) or seeds < 1:
        raise Refusal(given=f"seeds was {seeds!r}", expected="a whole number from 1", do="pass seeds=3")
    parameters = inspect.signature(network).parameters
    takes = {name for name, p in parameters.items() if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}
    anything = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    known = {field.name for field in fields(recipe)}
    for name, value in grid.items():
        if name not in takes | known and not anything:
            near = difflib.get_close_matches(name, sorted(takes | known), n=1, cutoff=0.4)
            raise Refusal(
                given=f"grid field '{name}'",
                expected=f"a parameter of the network ({', '.join(sorted(takes)) or 'it has none'}) or a field of the recipe",
                do=f"did you mean '{near[0]}'" if near else "leave it out",
            )
        if name in known & takes:
            raise Refusal(
                given=f"grid field '{name}' is a parameter of the network and a field of the recipe",
                expected="one that is not both",
                do="rename the network's parameter",
            )
        if name in known:
            for each in value if isinstance(value, list) else [value]:
                recipe.but(**{name: each})
    return {name for name in grid if name not in known}


def check_kinds(grid: Any, network: Any, recipe: Any) -> None:
    """Refuse what is no grid, no factory or no recipe of one value a field.

    Args:
        grid: Should map fields to values.
        network: Should make networks.
        recipe: Should hold what the grid does not say.

    Raises:
        Refusal: At the first that is not.
    """
    if not isinstance(grid, Mapping):
        raise Refusal(
            given=f"grid was a {type(grid).__name__}",
            expected="a dictionary from fields to values",
            do="pass {'lr': [0.1, 0.2]}",
        )
    if isinstance(network, nn.Module) or not callable(network):
        raise Refusal(
            given=f"network was a {type(network).__name__}",
            expected="a function that makes a new network",
            do="pass lambda: ..., or the network's class",
        )
    if not isinstance(recipe, Recipe):
        raise Refusal(
            given=f"recipe was a {type(recipe).__name__}", expected="a heldout.Recipe", do="pass heldout.Recipe(lr=0.1)"
        )
    for name in EACH:
        if isinstance(getattr(recipe, name), tuple):
            raise Refusal(
                given=f"{name} of the recipe was {getattr(recipe, name)!r}",
                expected="one value, as the grid says what differs",
                do=f"pass the values as {{'{name}': [...]}} in the grid",
            )


def _bucket(members: Sequence[tuple[Mapping[str, Any], int]], accepted: set[str], recipe: Recipe) -> Bucket:
    first = members[0][0]
    changes = {key: value for key, value in first.items() if key not in accepted and key not in EACH}
    changes |= {key: tuple(cell[key] for cell, _ in members) for key in first if key in EACH}
    return Bucket(
        arguments={key: first[key] for key in first if key in accepted},
        recipe=recipe.but(**changes),
        numbers=tuple(seed for _, seed in members),
        settings=tuple({**cell, "seed": seed} for cell, seed in members),
    )
