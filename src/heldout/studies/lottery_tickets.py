"""Lottery tickets: sparse networks that train well from their own initial weights, and not from others or elsewhere."""

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd
import torch
from torch import Tensor, nn

from heldout.catalog import Claim, find, study
from heldout.engine.population import Population, stream
from heldout.engine.training import Recipe, errors, fit, members_of
from heldout.engine.training.magnitude_masks import magnitude_masks, masked

ARMS = ("ticket", "random mask", "other weights")


def accuracy(table: pd.DataFrame, arm: str, round_number: int = -1) -> pd.Series:
    """Test accuracy of an arm by member, after the last round unless another is named."""
    rows = table[(table.arm == arm) & (table["round"] == (round_number if round_number >= 0 else table["round"].max()))]
    return rows.set_index("member").test_accuracy.sort_index()


def over_random_masks(table: pd.DataFrame) -> list[float]:
    """Test accuracy of tickets minus that of random masks on the same weights, at the highest sparsity."""
    return list(accuracy(table, "ticket") - accuracy(table, "random mask"))


def over_other_weights(table: pd.DataFrame) -> list[float]:
    """Test accuracy of tickets minus that of their masks on other initial weights, at the highest sparsity."""
    return list(accuracy(table, "ticket") - accuracy(table, "other weights"))


def lost_by_tickets(table: pd.DataFrame) -> list[float]:
    """Test accuracy of the dense networks minus that of tickets at the highest sparsity."""
    return list(accuracy(table, "ticket", 0) - accuracy(table, "ticket"))


def lost_by_random_masks(table: pd.DataFrame) -> list[float]:
    """The same of random masks."""
    return list(accuracy(table, "ticket", 0) - accuracy(table, "random mask"))


def curves(table: pd.DataFrame) -> pd.DataFrame:
    """Test accuracy by share of weights left, means and extremes over members, one curve an arm."""
    rows = table.groupby(["left", "arm"]).test_accuracy.agg(y="mean", low="min", high="max").reset_index()
    return rows.rename(columns={"left": "x", "arm": "curve"})


@study(
    source="Frankle and Carbin 2019, sections 1 to 3; Frankle et al. 2020 (rewinding)",
    drawn=curves,
    axes={"x": "share of the weights left", "y": "test accuracy", "log_x": True},
    sizes={
        "smoke": {"rewind": 0, "rounds": 3, "removed": 0.5, "train_size": 2000, "width": 200, "steps": 400, "members": 4},
        "laptop": {"rewind": [0, 100], "rounds": 7, "removed": 0.25, "train_size": 4000, "width": 200, "steps": 1500,
                   "members": 5},
        "paper": {"rewind": [0, 1000], "rounds": 15, "removed": 0.2, "train_size": 16000, "width": 300, "steps": 50000,
                  "members": 10},
    },
    claims=(
        Claim(
            "At 87 % sparsity the ticket's mask does better than a random mask of the same size on the same weights.",
            "Frankle and Carbin 2019, section 2 and figure 4",
            over_random_masks, bar=0.05,
        ),
        Claim(
            "The ticket's mask needs the initial weights that it was found with.",
            "Frankle and Carbin 2019, section 2 and figure 4 (random reinitialisation)",
            over_other_weights, bar=0.03,
        ),
        Claim(
            "A ticket of 13 % of the weights reaches about the accuracy of the dense network.",
            "Frankle and Carbin 2019, the lottery ticket hypothesis",
            lost_by_tickets, bar=0.09, above=False, control=lost_by_random_masks,
        ),
    ),
    notes="Biases are kept, and every layer loses the same share.",
)  # fmt: skip
def lottery_tickets(
    *, rewind: int, rounds: int, removed: float, train_size: int, width: int, steps: int, members: int, depth: int = 2,
    lr: float = 2e-3, batch_size: int = 100, every_round: bool = False, data: Any = None,
    network: Callable[[], nn.Module] | None = None, seed: int,
) -> dict[str, Any]:  # fmt: skip
    """Does a trained network hold a sparse one that would have trained as well alone, from the same initial weights?

    Iterative magnitude pruning: train; remove the smallest weights of each layer; put the others back to what they were at step
    k of the first training; again. After r rounds a share ``(1 - removed)^r`` is left. Arms of equal sparsity in every layer:
    ``ticket``; ``random mask`` on the same weights; ``other weights``, the ticket's mask on those of another initialisation. Each
    sees the same order of examples.

    Args:
        rewind: k; 0 for the initial weights.
        rounds: Of pruning.
        removed: Share of what is left that a round removes.
        train_size: Training examples.
        width: Of the hidden layers.
        steps: Of Adam in all; from step k on after rewinding.
        members: Initialisations.
        depth: Hidden layers.
        lr: Learning rate.
        batch_size: Examples a step.
        every_round: Whether all arms are trained after every round, or the other two after the last alone.
        data: Your own ``((x, y), (x_test, y_test))``.
        network: Your own factory.
        seed: Of everything.

    Returns:
        ``member``, ``round``, ``arm``, ``left`` (share of the weights) and ``test_accuracy``.

    Example:
        >>> x, y = torch.eye(4), torch.arange(4)
        >>> table = lottery_tickets(
        ...     rewind=0, rounds=2, removed=0.5, train_size=4, width=8, steps=2, members=1, batch_size=2,
        ...     data=((x, y), (x, y)), seed=0,
        ... )
        >>> table["arm"], table["left"]
        (['ticket', 'ticket', 'ticket', 'random mask', 'other weights'], [1.0, 0.5, 0.25, 0.25, 0.25])
    """
    train, test = data or find("one-dimensional-digits").function(train_size=train_size)
    dense, inputs, classes = find("dense").function, train[0][0].numel(), int(train[1].max()) + 1
    make = network or (lambda: dense(inputs=inputs, widths=(width,) * depth, outputs=classes))
    recipe = Recipe(optimizer="adam", lr=lr, batch_size=batch_size, steps=steps)
    # the second half is what 'other weights' start from; both halves are trained to step k, the first to the end
    both = Population.of(make, 2 * members, seed=seed)
    start = both if rewind == 0 else fit(both, train, recipe.but(steps=rewind), seed=seed).final
    own, others = members_of(start, list(range(members))), members_of(start, list(range(members, 2 * members)))
    layers = {name: weight for name, weight in own.parameters.items() if weight.ndim > 2}
    masks: dict[str, Tensor] = {name: torch.ones_like(weight, dtype=torch.bool) for name, weight in layers.items()}
    columns: dict[str, list[Any]] = {name: [] for name in ("member", "round", "arm", "left", "test_accuracy")}
    for number in range(rounds + 1):
        arms: dict[str, tuple[Population, Mapping[str, Tensor]]] = {"ticket": (own, masks)}
        if number == rounds or (every_round and number):
            anywhere = shuffled(masks, seed, number)
            arms |= {"random mask": (own, anywhere), "other weights": (others, masks)}
        final = trained(list(arms.values()), train, recipe.but(steps=steps - rewind), seed)
        wrong = errors(final, *test).tolist()
        left = sum(int(m.sum()) for m in masks.values()) / sum(m.numel() for m in masks.values())
        columns["member"] += [*range(members)] * len(arms)
        columns["round"] += [number] * len(wrong)
        columns["arm"] += [arm for arm in arms for _ in range(members)]
        columns["left"] += [left] * len(wrong)
        columns["test_accuracy"] += [1 - error for error in wrong]
        masks = magnitude_masks({name: final.parameters[name][:members] for name in layers}, removed, masks)
    return columns


def shuffled(masks: Mapping[str, Tensor], seed: int, number: int) -> dict[str, Tensor]:
    """Masks with as many ones a layer, anywhere.

    Args:
        masks: Parameter's name -> ``[M, ...]``.
        seed: Of the draw.
        number: Of the round.

    Returns:
        Likewise.
    """
    drawn = {}
    for name, mask in masks.items():
        flat = mask.flatten(1)
        order = torch.rand(flat.shape, generator=stream(seed, "random mask", number, name)).argsort(1)
        drawn[name] = flat.gather(1, order).view_as(mask)
    return drawn


def trained(
    arms: list[tuple[Population, Mapping[str, Tensor]]], train: tuple[Tensor, Tensor], recipe: Recipe, seed: int
) -> Population:
    """All arms trained as one population, each from its weights and under its masks.

    Args:
        arms: Networks ``[M]`` and masks, of equal M.
        train: Inputs and labels.
        recipe: How.
        seed: Of the order of examples, which the arms share member by member.

    Returns:
        The networks, arm after arm.
    """
    first, members = arms[0][0], len(arms[0][0])
    together = first.with_tensors(
        {name: torch.cat([arm.parameters[name] for arm, _ in arms]) for name in first.parameters},
        {name: torch.cat([arm.buffers[name] for arm, _ in arms]) for name in first.buffers},
    )
    masks = {name: torch.cat([own[name] for _, own in arms]) for name in arms[0][1]}
    keep = find("pruning-mask").function(masks=masks)
    order = [*range(members)] * len(arms)
    return fit(masked(together, masks), train, recipe.but(interventions=(keep,), order=order), seed=seed).final
