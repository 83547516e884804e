"""Sharpness of minima by batch size, with the control that destroys its meaning: re-scaled layers."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
from scipy import stats
from torch import Tensor, nn

from heldout.catalog import Claim, find, study
from heldout.engine.evidence.box_sharpness import rise_in_box
from heldout.engine.population import Population, fold_batch_norm, stream, weight_layers
from heldout.engine.subject import as_examples
from heldout.engine.subject.losses import loss_named
from heldout.engine.training import Recipe, errors, fit
from heldout.records import Refusal


def by_batch(table: pd.DataFrame, column: str) -> pd.DataFrame:
    """A column as one row a member and one column a batch size, ascending."""
    return table.pivot(index="member", columns="batch_size", values=column).sort_index(axis=1)


def log_ratio(table: pd.DataFrame, above: str, below: str) -> list[float]:
    """Log of one column at the largest batch over another at the smallest."""
    return list(np.log(by_batch(table, above).iloc[:, -1] / by_batch(table, below).iloc[:, 0]))


def sharpness_ratio(table: pd.DataFrame) -> list[float]:
    """Log ratio of the sharpness after the largest batches to that after the smallest, at equal training loss."""
    return log_ratio(table, "sharpness", "sharpness")


def relative_ratio(table: pd.DataFrame) -> list[float]:
    """The same of the relative sharpness, which no re-scaling of layers changes."""
    return log_ratio(table, "relative", "relative")


def accuracy_lost(table: pd.DataFrame) -> list[float]:
    """Test accuracy after the smallest batches minus that after the largest, at equal training loss."""
    found = by_batch(table, "test_accuracy")
    return list(found.iloc[:, 0] - found.iloc[:, -1])


def rank(table: pd.DataFrame, column: str) -> list[float]:
    """Spearman correlation of a column with the test error over batch sizes, by member."""
    sharp, accuracy = by_batch(table, column), by_batch(table, "test_accuracy")
    return [float(stats.spearmanr(sharp.loc[m], -accuracy.loc[m])[0]) for m in sharp.index]


def rank_of_sharpness(table: pd.DataFrame) -> list[float]:
    """Spearman correlation of sharpness with test error over batch sizes."""
    return rank(table, "sharpness")


def rank_after_rescaling(table: pd.DataFrame) -> list[float]:
    """The same of networks of the same functions, their layers re-scaled at random."""
    return rank(table, "sharpness_rescaled")


def flat_made_sharp(table: pd.DataFrame) -> list[float]:
    """Log ratio of the sharpness of the small-batch network with layers re-scaled tenfold to that before."""
    return list(np.log((by_batch(table, "sharpness_tenfold") / by_batch(table, "sharpness_folded")).iloc[:, 0]))


def relative_unmoved(table: pd.DataFrame) -> list[float]:
    """The same of the relative sharpness."""
    return list(np.log((by_batch(table, "relative_tenfold") / by_batch(table, "relative")).iloc[:, 0]))


def curves(table: pd.DataFrame) -> pd.DataFrame:
    """Sharpness as trained, folded and re-scaled, relative sharpness, test error: medians and extremes over members."""
    panels = {"sharpness": ("sharpness", "as trained"), "sharpness_folded": ("sharpness", "batch norm folded"),
              "sharpness_rescaled": ("sharpness", "folded, layers re-scaled at random"),
              "relative": ("relative sharpness", "batch norm folded"), "error": ("test error in percent", "as trained")}  # fmt: skip
    long = table.assign(error=100 * (1 - table.test_accuracy)).melt(["batch_size", "member"], list(panels))
    rows = long.groupby(["batch_size", "variable"]).value.agg(y="median", low="min", high="max").reset_index()
    rows = rows.assign(panel=[panels[v][0] for v in rows.variable], curve=[panels[v][1] for v in rows.variable])
    return rows.rename(columns={"batch_size": "x"}).drop(columns="variable")


@study(
    source="Keskar et al. 2017, section 2 and metric 2.1; Dinh et al. 2017, section 4 (re-scaling)",
    drawn=curves,
    axes={"x": "batch size", "y": "", "log_x": True, "log_y": True},
    sizes={
        "smoke": {"batch_size": [20, 60, 200], "train_size": 1000, "width": 64, "target_loss": 0.15, "steps": 3200,
                  "members": 5},
        "laptop": {"batch_size": [20, 40, 100, 200, 400], "train_size": 2000, "width": 100, "target_loss": 0.05,
                   "steps": 20000, "members": 6},
        "paper": {"batch_size": [256, 512, 1024, 2048, 6000], "train_size": 60000, "width": 512, "target_loss": 0.01,
                  "steps": 100000, "members": 5},
    },
    claims=(
        Claim(
            "Large batches end in sharper minima, at equal training loss.",
            "Keskar et al. 2017, section 2.2.2 and table 3",
            sharpness_ratio, bar=0.35,
        ),
        Claim(
            "Large batches generalise worse, at equal training loss.",
            "Keskar et al. 2017, section 2.1 and table 2",
            accuracy_lost, bar=0.0,
        ),
        Claim(
            "Sharper minima generalise worse; re-scaled at random, networks of the same functions do not say so.",
            "Keskar et al. 2017, section 2.2; Dinh et al. 2017",
            rank_of_sharpness, bar=0.5, control=rank_after_rescaling,
        ),
        Claim(
            "A minimum is made sharper without changing its function; sharpness relative to the weights does not move.",
            "Dinh et al. 2017, section 4",
            flat_made_sharp, bar=float(np.log(2)), control=relative_unmoved,
        ),
    ),
    notes="The sharpness that differs by batch size is that of the network with its batch norms as trained; with them folded, "
    "which leaves the function as it is, most of the difference is gone. Without batch norm (MNIST-1D and digits, same "
    "optimiser) neither sharpness nor accuracy at equal training loss differed by batch size.",
)  # fmt: skip
def sharpness_by_batch_size(
    *, batch_size: int, train_size: int, width: int, steps: int, members: int, target_loss: float = 0.05, lr: float = 1e-3,
    radius: float = 1e-3, iterations: int = 10, data: Any = None, network: Callable[[], nn.Module] | None = None, seed: int,
) -> dict[str, Any]:  # fmt: skip
    """Do large batches find sharper minima, and is it sharpness that makes them generalise worse?

    MNIST-1D, a ReLU network of two hidden layers with batch norm, Adam, until the mean training cross-entropy is at or below a
    target. Sharpness: 100 (max L(w + z) - L(w)) / (1 + L(w)) over |z_i| <= r (|w_i| + 1) (Keskar et al.), in evaluation mode.
    Folded: batch norms merged into the weights before them. Relative: over |z_i| <= 10 r |w_i|, folded. Re-scaled: folded, the
    first layer (and its bias) times a, the second layer's weights over a; a is 10, or from 1/10 to 10 with a uniform logarithm.

    Args:
        batch_size: Examples a step.
        train_size: Training examples.
        width: Of both hidden layers.
        steps: At which training ends in any case.
        members: Initialisations, the same for all batch sizes.
        target_loss: Mean training loss at which a member stops.
        lr: Of Adam, for all batch sizes.
        radius: r.
        iterations: Of the search in the box.
        data: Your own ``((x, y), (x_test, y_test))``.
        network: Your own factory; its first two weight layers must be joined by a ReLU (and batch norm) alone.
        seed: Of initialisation, order and re-scaling.

    Returns:
        ``member``, ``updates``, ``train_loss``, ``test_accuracy``, ``sharpness``, ``sharpness_folded``,
        ``sharpness_rescaled``, ``sharpness_tenfold``, ``relative``, ``relative_tenfold``.

    Example:
        >>> settings = {"train_size": 60, "width": 8, "steps": 5, "members": 2}
        >>> table = sharpness_by_batch_size(batch_size=20, **settings, seed=0)
        >>> bool((np.abs(np.divide(table["relative"], table["relative_tenfold"]) - 1) < 1e-3).all())
        True
    """
    (x, y), test = data or find("one-dimensional-digits").function(train_size=train_size)
    train, held_out = as_examples((x, y), "data"), as_examples(test, "data")
    inputs, classes = x[0].numel(), int(y.max()) + 1
    dense = find("dense").function
    make = network or (lambda: dense(inputs=inputs, widths=(width, width), outputs=classes, batch_norm=True))
    recipe = Recipe(optimizer="adam", lr=lr, batch_size=batch_size, steps=steps, stop="loss", target_loss=target_loss)
    fitted = fit(Population.of(make, members, seed=seed), train, recipe, seed=seed)
    found, loss = fitted.final, loss_named("cross-entropy", y)

    def sharpness(population: Population, least: float, size: float) -> list[float]:
        widths = {name: size * (weight.abs() + least) for name, weight in population.parameters.items()}
        before, rise = rise_in_box(population, train, loss, widths, iterations=iterations)
        return list((100 * rise / (1 + before)).tolist())

    logs = [
        2 * torch.rand((), generator=stream(seed, "scale", batch_size, member)).item() - 1 for member in range(members)
    ]
    folded = fold_batch_norm(found, x[:1])
    tenfold = rescaled(folded, [10.0] * members)
    return {
        "member": list(range(members)),
        "updates": fitted.step.tolist(),
        "train_loss": rise_in_box(found, train, loss, {}, iterations=0).before.tolist(),
        "test_accuracy": (1 - errors(found, held_out.x, held_out.y)).tolist(),
        "sharpness": sharpness(found, 1.0, radius),
        "sharpness_folded": sharpness(folded, 1.0, radius),
        "sharpness_rescaled": sharpness(rescaled(folded, [10.0**log for log in logs]), 1.0, radius),
        "sharpness_tenfold": sharpness(tenfold, 1.0, radius),
        "relative": sharpness(folded, 0.0, 10 * radius),
        "relative_tenfold": sharpness(tenfold, 0.0, 10 * radius),
    }


def rescaled(population: Population, factors: Sequence[float]) -> Population:
    """The same functions with other weights: first layer times a factor, second layer's weights over it.

    Args:
        population: ReLU networks.
        factors: One a member.

    Returns:
        The networks.

    Raises:
        Refusal: If there are fewer than two layers.
    """
    layers = weight_layers(population)
    if len(layers) < 2:
        raise Refusal(given="network had one layer", expected="two layers to re-scale", do="pass a deeper network")
    first, second = layers[0].name, layers[1].name
    parameters = dict(population.parameters)

    def times(name: str, by: Tensor) -> None:
        parameters[name] = parameters[name] * by.view(-1, *[1] * (parameters[name].ndim - 1)).to(parameters[name])

    factor = torch.tensor(factors, dtype=torch.float64)
    times(first, factor)
    times(second, 1 / factor)
    bias = first.removesuffix("weight") + "bias"
    if bias in parameters:
        times(bias, factor)
    return population.with_tensors(parameters, population.buffers)
