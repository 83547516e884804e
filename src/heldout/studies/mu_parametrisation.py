"""Maximal update parametrisation: the learning rate that suits a narrow network suits a wide one."""

from math import sqrt
from typing import Any

import numpy as np
import pandas as pd
from torch import Tensor

from heldout.catalog import Claim, find, study
from heldout.engine.population import Population
from heldout.engine.subject import as_examples
from heldout.engine.subject.losses import loss_named
from heldout.engine.training import Recipe, fit, mean_losses


def losses(table: pd.DataFrame, arm: str) -> pd.DataFrame:
    """Final training losses of an arm, one row a width and member and one column a learning rate."""
    rows = table[table.parametrisation == arm]
    return rows.pivot(index=["width", "member"], columns="log_rate", values="loss").fillna(np.inf)


def drift(table: pd.DataFrame, arm: str) -> list[float]:
    """Octaves, up or down, between the best rate of the narrowest networks on average and that of each of the widest."""
    found = losses(table, arm)
    narrow, wide = (found.loc[width] for width in (table.width.min(), table.width.max()))
    return list(np.abs(wide.idxmin(axis=1) - narrow.mean().idxmin()).astype(float))


def drift_of_the_standard(table: pd.DataFrame) -> list[float]:
    """Octaves between the best learning rate of the narrowest networks and that of each widest one, standard parametrisation."""
    return drift(table, "standard")


def drift_of_maximal_updates(table: pd.DataFrame) -> list[float]:
    """The same under maximal updates."""
    return drift(table, "maximal update")


def transfer(table: pd.DataFrame, arm: str) -> list[float]:
    """Log ratio of the widest networks' loss at the narrowest ones' best rate to their loss at their own best rate."""
    found = losses(table, arm)
    narrow, wide = (found.loc[width] for width in (table.width.min(), table.width.max()))
    rate = narrow.mean().idxmin()
    return list(np.log(wide[rate] / wide.min(axis=1)))


def transfer_of_the_standard(table: pd.DataFrame) -> list[float]:
    """Log ratio of the widest networks' loss at the narrowest ones' best rate to their own best, standard parametrisation."""
    return transfer(table, "standard")


def transfer_of_maximal_updates(table: pd.DataFrame) -> list[float]:
    """The same under maximal updates."""
    return transfer(table, "maximal update")


def curves(table: pd.DataFrame) -> pd.DataFrame:
    """Final training loss by learning rate, means and extremes over members, one curve a width, one panel an arm."""
    kept = table[np.isfinite(table.loss)].assign(x=2.0**table.log_rate)
    rows = kept.groupby(["x", "width", "parametrisation"]).loss.agg(y="mean", low="min", high="max").reset_index()
    curve = [f"width {width:>4}" for width in rows.width]
    return rows.assign(curve=curve).rename(columns={"parametrisation": "panel"}).drop(columns="width")


ARMS = ["standard", "maximal update"]


@study(
    source="Yang et al. 2022 (Tensor Programs V), sections 2 to 5 and table 3",
    drawn=curves,
    axes={"x": "learning rate", "y": "training loss", "log_x": True, "log_y": True},
    sizes={
        "smoke": {"parametrisation": ARMS, "width": [32, 256], "base": 32, "log_rates": (-8, -7, -6, -5, -4),
                  "train_size": 1000, "steps": 150, "batch_size": 50, "members": 3},
        "laptop": {"parametrisation": ARMS, "width": [32, 128, 512], "base": 32,
                   "log_rates": (-11, -10, -9, -8, -7, -6, -5, -4, -3), "train_size": 4000, "steps": 500, "members": 4},
        "paper": {"parametrisation": ARMS, "width": [128, 256, 512, 1024, 2048, 4096, 8192], "base": 128,
                  "log_rates": tuple(range(-16, -2)), "train_size": 16000, "steps": 5000, "members": 5},
    },
    claims=(
        Claim(
            "In the standard parametrisation the best learning rate falls as networks widen; under maximal updates it stays.",
            "Yang et al. 2022, section 2 and figure 1",
            drift_of_the_standard, bar=1.5, control=drift_of_maximal_updates,
        ),
        Claim(
            "The learning rate of a narrow network is nearly as good for a wide one under maximal updates.",
            "Yang et al. 2022, sections 4 and 5",
            transfer_of_maximal_updates, bar=1.4, above=False, control=transfer_of_the_standard,
        ),
    ),
    notes="The best rate is read from a grid of octaves, so a drift below one octave is not seen. Small networks are far"
    " from the limit of the theory: their best rate rises by about an octave under maximal updates."
    " The small grid spans too few widths and steps to show either.",
)  # fmt: skip
def mu_parametrisation(
    *, parametrisation: str, width: int, base: int, log_rates: tuple[int, ...], train_size: int, steps: int, members: int,
    depth: int = 2, batch_size: int = 100, data: Any = None, seed: int,
) -> dict[str, Any]:  # fmt: skip
    """Does the best learning rate of a narrow network carry over to a wide one, if weights and rates scale with width?

    MNIST-1D, ReLU networks, Adam. Maximal update relative to a base width b at width n (table 3 of the paper, for Adam): output
    weights start ``sqrt(b / n)`` times as large as usual, that is with variance ~ 1/n^2; steps of hidden and output weights are
    ``b / n`` times the learning rate; input weights and biases as usual. At width b the two parametrisations are the same.

    Args:
        parametrisation: ``standard`` or ``maximal update``.
        width: n, of the hidden layers.
        base: b.
        log_rates: Learning rates, by their logarithm to base 2.
        train_size: Training examples.
        steps: Of Adam.
        members: Initialisations and orders of examples for each rate.
        depth: Hidden layers.
        batch_size: Examples a step.
        data: Your own ``((x, y), (x_test, y_test))``; only the training data are used.
        seed: Of initialisation and order.

    Returns:
        ``member``, ``log_rate`` and ``loss``, the mean training loss at the end.

    Example:
        >>> import torch
        >>> own = (torch.eye(4), torch.arange(4)), (torch.eye(4), torch.arange(4))
        >>> settings = dict(width=8, base=8, log_rates=(-5, -3), train_size=4, steps=5, members=1, batch_size=2, data=own, seed=0)
        >>> one, other = (mu_parametrisation(parametrisation=arm, **settings)["loss"] for arm in ARMS)
        >>> one == other
        True
    """
    train, _ = data or find("one-dimensional-digits").function(train_size=train_size, test_size=10)
    dense, inputs, classes = find("dense").function, train[0][0].numel(), int(train[1].max()) + 1
    numbers = [member for _ in log_rates for member in range(members)]
    population = Population.of(
        lambda: dense(inputs=inputs, widths=(width,) * depth, outputs=classes), len(numbers), seed=seed, numbers=numbers
    )
    rates = [2.0**rate for rate in log_rates for _ in range(members)]
    recipe = Recipe(optimizer="adam", lr=rates, batch_size=batch_size, steps=steps, order=numbers)
    if parametrisation == "maximal update":
        population, factors = maximal_update(population, base / width)
        recipe = recipe.but(interventions=(find("layer-rates").function(factors=factors),))
    final = fit(population, train, recipe, seed=seed).final
    examples = as_examples(train, "train")
    return {
        "member": numbers,
        "log_rate": [rate for rate in log_rates for _ in range(members)],
        "loss": mean_losses(final, examples, loss_named("cross-entropy", examples.y)).tolist(),
    }


def maximal_update(population: Population, ratio: float) -> tuple[Population, dict[str, float]]:
    """Initial weights and rates of the maximal update parametrisation under Adam.

    Args:
        population: Dense networks in the standard parametrisation.
        ratio: Base width over width.

    Returns:
        The networks with their output weights scaled, and parameter's name -> factor of its steps.
    """
    weights = [name for name, stack in population.parameters.items() if stack.ndim > 2]
    scaled: dict[str, Tensor] = {weights[-1]: population.parameters[weights[-1]] * sqrt(ratio)}
    changed = population.with_tensors({**population.parameters, **scaled}, population.buffers)
    return changed, dict.fromkeys(weights[1:], ratio)
