"""The optimism of the best of many on one validation set, by number of candidates and size of the set."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from heldout.catalog import Claim, find, study
from heldout.engine.population import Population, stream
from heldout.engine.training import Recipe, fit, members_of


def optimism(table: pd.DataFrame, column: str = "optimism") -> pd.DataFrame:
    """A column by size of the validation set and candidates, one column a member."""
    return table.pivot(index=["validation", "candidates"], columns="member", values=column)


def grows(table: pd.DataFrame, column: str) -> list[float]:
    """Rise of a column from one candidate to all, on the smallest validation set, in standard errors."""
    small = table[table.validation == table.validation.min()]
    found, errors = optimism(small, column), optimism(small, "standard_error")
    return list((found.iloc[-1] - found.iloc[0]) / errors.iloc[-1])


def growth_on_validation(table: pd.DataFrame) -> list[float]:
    """Optimism of the best of all minus that of a single candidate, smallest validation set, in standard errors."""
    return grows(table, "optimism")


def growth_on_a_third_set(table: pd.DataFrame) -> list[float]:
    """The same where the winner's accuracy is read from a third set of the same size."""
    return grows(table, "third")


def slope(table: pd.DataFrame) -> list[float]:
    """Slope of the log optimism of the best of all on the log size of the validation set."""
    most = table[table.candidates == table.candidates.max()]
    found = optimism(most)
    sizes = np.log(found.index.get_level_values("validation").to_numpy(float))
    return [float(np.polyfit(sizes, np.log(found[member].to_numpy()), 1)[0]) for member in found]


def over_the_bound(table: pd.DataFrame) -> list[float]:
    """Largest ratio of the optimism to the largest standard error times sqrt(2 ln candidates)."""
    several = table[table.candidates > 1]
    ratio = several.optimism / (several.standard_error * np.sqrt(2 * np.log(several.candidates)))
    return list(ratio.groupby(several.member).max())


def curves(table: pd.DataFrame) -> pd.DataFrame:
    """Optimism, what a third set says, and the bound by candidates, one panel a size of the validation set."""
    bound = table.standard_error * np.sqrt(2 * np.log(table.candidates))
    names = {
        "optimism": "on validation minus truth",
        "third": "on a third set minus truth",
        "bound": "sd sqrt(2 ln candidates)",
    }
    arms = ["validation", "candidates"]
    long = table.assign(bound=bound).rename(columns=names).melt([*arms, "member"], list(names.values()), "curve")
    rows = long.groupby([*arms, "curve"]).value.agg(y="mean", low="min", high="max").reset_index()
    panel = [f"{size:>4} validation examples" for size in rows.validation]
    return rows.rename(columns={"candidates": "x"}).assign(panel=panel).drop(columns="validation")


CANDIDATES = (1, 3, 10, 30, 100)


@study(
    source="Cawley and Talbot 2010, sections 4 and 5",
    drawn=curves,
    axes={"x": "candidates", "y": "accuracy of the winner", "log_x": True},
    sizes={
        "smoke": {"validation": (25, 100, 400), "candidates": (1, 3, 10, 40), "train_size": 200, "steps": 100, "members": 5},
        "laptop": {"validation": (25, 50, 100, 200, 400), "candidates": CANDIDATES, "train_size": 500, "steps": 400,
                   "members": 8},
        "paper": {"validation": (25, 50, 100, 200, 400), "candidates": (*CANDIDATES, 300, 1000), "train_size": 500,
                  "steps": 1000, "members": 20},
    },
    claims=(
        Claim(
            "The more candidates are compared on a validation set, the more it flatters the winner.",
            "Cawley and Talbot 2010, section 5",
            growth_on_validation, bar=0.18, control=growth_on_a_third_set,
        ),
        Claim(
            "The optimism falls as the validation set grows, about as the inverse root of its size.",
            "Cawley and Talbot 2010, section 4 (variance of the criterion)",
            slope, bar=-0.25, above=False,
        ),
        Claim(
            "The optimism is at most the standard deviation of the criterion times the root of 2 ln m.",
            "Boucheron, Lugosi and Massart 2013, section 2.5 (maxima of m subgaussian variables)",
            over_the_bound, bar=1.0, above=False,
        ),
    ),
    notes="Candidates share the validation examples and, near the top, their mistakes, and differ in truth, so the optimism stays "
    "well below the bound, which is met by independent candidates that are all equally good.",
)  # fmt: skip
def validation_optimism(
    *, validation: tuple[int, ...], candidates: tuple[int, ...], train_size: int, steps: int, members: int, width: int = 32,
    repetitions: int = 400, data: Any = None, network: Callable[[], nn.Module] | None = None, seed: int,
) -> dict[str, Any]:  # fmt: skip
    """How much does a validation set flatter the best of m networks that were chosen on it?

    Candidates are one-hidden-layer networks with learning rate and weight decay drawn log-uniformly, trained by Adam on one
    training set. Of the other examples, a validation set of n and a third set of n are drawn, apart from each other; the winner
    is the best of m on the first. Truth is its accuracy on all the other examples. Optimism is validation accuracy minus truth,
    ``E max_i (A_i - a_i) <= sd sqrt(2 ln m)``; sd is the largest of a candidate's
    accuracy, on n drawn from N without replacement.

    Args:
        validation: Values of n.
        candidates: Values of m; the largest is how many are trained.
        train_size: Training examples.
        steps: Of training.
        members: Sets of candidates.
        width: Of their hidden layer.
        repetitions: Draws of validation set, third set and of the m candidates, which are averaged.
        data: Your own ``((x, y), (x_test, y_test))``; validation sets are drawn from its test data.
        network: Your own factory.
        seed: Of everything.

    Returns:
        ``member``, ``validation``, ``candidates``, ``optimism``, ``third`` (the same on the third set), ``truth`` (of the
        winner), ``regret`` (truth of the best of the m minus that of the winner) and ``standard_error``, the largest of the
        candidates' accuracies on n.

    Example:
        >>> table = validation_optimism(validation=(50,), candidates=(1, 4), train_size=50, steps=2, members=1, seed=0)
        >>> table["candidates"], bool(abs(table["optimism"][0]) < 0.02)  # one candidate is not flattered
        ([1, 4], True)
    """
    (x, y), (x_other, y_other) = data or find("digits").function(train_size=train_size)
    right = trained((x, y), x_other, max(candidates), members, steps, width, network, seed) == y_other
    rows: list[dict[str, Any]] = []
    for member, own in enumerate(right):
        for size in validation:
            read = chosen(own.double(), candidates, size, repetitions, stream(seed, "choice", member, size))
            rows += [{"member": member, "validation": size, **row} for row in read]
    return {column: [row[column] for row in rows] for column in rows[0]}


def trained(
    train: tuple[Tensor, Tensor], x_other: Tensor, candidates: int, members: int, steps: int, width: int,
    network: Callable[[], nn.Module] | None, seed: int,
) -> Tensor:  # fmt: skip
    """Predictions of all candidates of all members, trained as one population.

    Args:
        train: Inputs and labels.
        x_other: Inputs of the other examples.
        candidates: Of a member.
        members: M.
        steps: Of training.
        width: Of the hidden layer.
        network: The user's own factory.
        seed: Of everything.

    Returns:
        Classes ``[M, candidates, N]``.
    """
    dense, classes = find("dense").function, int(train[1].max()) + 1
    make = network or (lambda: dense(inputs=train[0][0].numel(), widths=(width,), outputs=classes))
    draw = torch.rand(2, candidates * members, generator=stream(seed, "settings"), dtype=torch.float64)
    recipe = Recipe(
        optimizer="adamw", lr=(10 ** (-3.5 + 2 * draw[0])).tolist(), weight_decay=(10 ** (-4 + 4 * draw[1])).tolist(),
        batch_size=min(50, len(train[1])), steps=steps,
    )  # fmt: skip
    final = fit(Population.of(make, candidates * members, seed=seed), train, recipe, seed=seed).final
    parts = [
        members_of(final, list(range(member * candidates, (member + 1) * candidates))) for member in range(members)
    ]
    return torch.stack([part(x_other).argmax(-1) for part in parts])


def chosen(
    right: Tensor, counts: tuple[int, ...], size: int, repetitions: int, draw: torch.Generator
) -> list[dict[str, float]]:
    """What the best of some candidates on a validation set is worth, mean over draws of candidates and sets.

    Args:
        right: Whether each candidate gets each example right, ``[candidates, N]``, 0 or 1.
        counts: Numbers of candidates compared m, the first m of an order that is drawn.
        size: Of the validation set n, and of the third set.
        repetitions: Draws.
        draw: Their generator.

    Returns:
        For every m ``candidates``, ``optimism``, ``third``, ``truth``, ``regret`` and ``standard_error``.
    """
    total, truth, rows = right.shape[1], right.mean(1), torch.arange(repetitions)
    examples = torch.rand(repetitions, total, generator=draw).topk(2 * size).indices
    order = torch.rand(repetitions, len(right), generator=draw).argsort(1)
    chosen_by = torch.zeros(2, repetitions, total, dtype=right.dtype)
    for part in (0, 1):
        chosen_by[part].scatter_(1, examples[:, part * size : (part + 1) * size], 1.0 / size)
    seen, third = chosen_by @ right.T  # [repetitions, candidates]
    spread = (truth * (1 - truth) / size * (total - size) / (total - 1)).max().sqrt()
    read = []
    for count in counts:
        compared = order[:, :count]
        winner = compared[rows, seen.gather(1, compared).argmax(1)]
        read.append({
            "candidates": count,
            "optimism": float((seen[rows, winner] - truth[winner]).mean()),
            "third": float((third[rows, winner] - truth[winner]).mean()),
            "truth": float(truth[winner].mean()),
            "regret": float((truth[compared].max(1).values - truth[winner]).mean()),
            "standard_error": float(spread),
        })
    return read
