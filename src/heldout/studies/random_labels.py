"""Networks fit random labels, shuffled pixels and noise, and what they learn then is worth nothing."""

from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from heldout.catalog import Claim, find, study
from heldout.engine.evidence.input_search import changed_classes
from heldout.engine.population import Population, stream
from heldout.engine.subject import Examples
from heldout.engine.training import Recipe, fit
from heldout.engine.training.outcomes import errors

ARMS = ("true labels", "half random labels", "random labels", "shuffled pixels", "noise inputs")
SHUFFLED = ("true labels", "shuffled pixels")  # the arms of convolutional networks


def by_seed(table: pd.DataFrame, arm: str, column: str, architecture: str = "dense") -> list[float]:
    """A column of one arm, seed by seed."""
    rows = table[(table.arm == arm) & (table.architecture == architecture)]
    return list(rows.sort_values("member")[column].astype(float))


def smallest_fit(table: pd.DataFrame) -> list[float]:
    """Smallest training accuracy over the arms."""
    return list(1 - table[table.architecture == "dense"].groupby("member").train_error.max())


def unseen_accuracy_of_random_labels(table: pd.DataFrame) -> list[float]:
    """Test accuracy after training on random labels."""
    return [1 - error for error in by_seed(table, "random labels", "test_error")]


def unseen_accuracy_of_true_labels(table: pd.DataFrame) -> list[float]:
    """Test accuracy after training on true labels."""
    return [1 - error for error in by_seed(table, "true labels", "test_error")]


def slowdown(table: pd.DataFrame) -> list[float]:
    """Epochs until all random labels are fitted, over those until the true ones are."""
    return list(np.divide(by_seed(table, "random labels", "epochs"), by_seed(table, "true labels", "epochs")))


def slowdown_of_shuffled_pixels(table: pd.DataFrame) -> list[float]:
    """The same with shuffled pixels, which keep their labels."""
    return list(np.divide(by_seed(table, "shuffled pixels", "epochs"), by_seed(table, "true labels", "epochs")))


def critical_difference(table: pd.DataFrame) -> list[float]:
    """Critical sample ratio after training on random labels, minus that after training on true ones."""
    return list(np.subtract(by_seed(table, "random labels", "critical"), by_seed(table, "true labels", "critical")))


def critical_difference_of_shuffled_pixels(table: pd.DataFrame) -> list[float]:
    """The same with shuffled pixels, which keep their labels."""
    return list(np.subtract(by_seed(table, "shuffled pixels", "critical"), by_seed(table, "true labels", "critical")))


def price_of_shuffling(table: pd.DataFrame, architecture: str = "convolutional") -> list[float]:
    """Test error with shuffled pixels minus test error with whole images, of convolutional networks."""
    shuffled = by_seed(table, "shuffled pixels", "test_error", architecture)
    return list(np.subtract(shuffled, by_seed(table, "true labels", "test_error", architecture)))


def price_of_shuffling_to_dense_networks(table: pd.DataFrame) -> list[float]:
    """The same of dense networks, which see no order of pixels."""
    return price_of_shuffling(table, "dense")


def drawn(table: pd.DataFrame) -> pd.DataFrame:
    """Mean test error by epochs until fitted, a mark an arm."""
    means = table.groupby(["architecture", "arm"])[["epochs", "test_error"]].mean().reset_index()
    return means.rename(columns={"epochs": "x", "test_error": "y", "arm": "curve", "architecture": "panel"})


@study(
    source="Zhang et al. 2017, sections 2 and 3; Arpit et al. 2017, section 5",
    sizes={
        "smoke": {"architecture": ["dense", "convolutional"], "members": 3, "examples": 200, "width": 96, "epochs": 400},
        "laptop": {"architecture": ["dense", "convolutional"], "members": 5, "examples": 1000, "width": 256, "epochs": 400},
        "paper": {"architecture": ["dense", "convolutional"], "members": 5, "examples": 1297, "width": 512, "epochs": 500},
    },
    drawn=drawn,
    axes={"x": "epochs until all training labels are fitted", "y": "test error"},
    claims=(
        Claim(
            "Networks fit training data with random labels, shuffled pixels or noise for inputs completely.",
            "Zhang et al. 2017, section 2.1", smallest_fit, bar=0.99,
        ),
        Claim(
            "What is learned from random labels is worth nothing on unseen data.",
            "Zhang et al. 2017, section 2.1", unseen_accuracy_of_random_labels, bar=0.5, above=False,
            control=unseen_accuracy_of_true_labels,
        ),
        Claim(
            "Random labels take longer to fit than true ones.",
            "Zhang et al. 2017, section 2.1", slowdown, bar=1.7, control=slowdown_of_shuffled_pixels,
        ),
        Claim(
            "Networks that memorised have a higher critical sample ratio.",
            "Arpit et al. 2017, section 5.2", critical_difference, bar=0.3,
            control=critical_difference_of_shuffled_pixels,
        ),
        Claim(
            "Shuffling the pixels costs a convolutional network and costs a dense one nothing.",
            "Zhang et al. 2017, section 2.1; Du et al. 2018", price_of_shuffling, bar=0.02,
            control=price_of_shuffling_to_dense_networks,
        ),
    ),
    notes="Noise inputs are fitted faster than real ones: that memorising is slower holds for labels, not for inputs.",
)  # fmt: skip
def random_labels(
    *, architecture: str, members: int, examples: int, width: int, epochs: int, data: Any = None, seed: int
) -> dict[str, Any]:
    """Do networks fit random labels, and does anything but the test data tell?

    Five arms of digits: true labels; half of them or all drawn anew; one fixed permutation of the pixels; Gaussian inputs. All
    arms and seeds are one population, trained by Adam until every training label is predicted. Convolutional networks see two arms.

    Args:
        architecture: ``dense`` (two hidden layers) or ``convolutional``.
        members: Seeds.
        examples: Of the training set.
        width: Of the hidden layers; a sixteenth of it is the convolution's channels.
        epochs: At most.
        data: Your own ``((x, y), (x_test, y_test))`` of images ``[N, 1, H, W]``.
        seed: Of everything.

    Returns:
        A row an arm and seed: member, arm, train_error, test_error, epochs, critical (the ratio; of dense networks).

    Example:
        >>> rows = random_labels(architecture="dense", members=1, examples=40, width=16, epochs=30, seed=0)
        >>> rows["arm"][2], len(rows["epochs"])
        ('random labels', 5)
    """
    train, test = data if data is not None else find("digits").function(train_size=examples, seed=seed)
    chosen = ARMS if architecture == "dense" else SHUFFLED
    arms = [_arm(arm, train, test, seed, member) for arm in chosen for member in range(members)]
    x, y, x_test, y_test = (torch.stack(column) for column in zip(*arms, strict=True))
    inputs = int(x[0, 0].numel())

    def make() -> Any:
        if architecture == "dense":
            return find("dense").function(inputs=inputs, widths=(width, width))
        return find("small-convolutional").function(channels=max(4, width // 16))

    batch = min(100, len(y[0]))
    recipe = Recipe(
        optimizer="adam", lr=1e-3 if architecture == "dense" else 3e-3, batch_size=batch, stop="fit",
        steps=epochs * (len(y[0]) // batch), check_every=len(y[0]) // batch,
    )  # fmt: skip
    numbers = list(range(members)) * len(chosen)
    initial = Population.of(make, len(arms), seed=seed, numbers=numbers)
    fitted = fit(initial, Examples(x, y, True, True), recipe, seed=seed, numbers=numbers)
    few = x[:, : min(200, len(y[0]))]
    critical = changed_classes(fitted.final, few, 0.05 * float(train[0].max() - train[0].min()), seed=seed).mean(1)
    return {
        "member": numbers,
        "arm": [arm for arm in chosen for _ in range(members)],
        "train_error": errors(fitted.final, x, y, x_per_member=True).numpy(),
        "test_error": errors(fitted.final, x_test, y_test, x_per_member=True).numpy(),
        "epochs": fitted.step.numpy() / (len(y[0]) // batch),
        "critical": critical.numpy(),
    }


def _arm(
    arm: str, train: tuple[Tensor, Tensor], test: tuple[Tensor, Tensor], seed: int, member: int
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    (x, y), (x_test, y_test) = train, test
    draw = stream(seed, "random labels", arm, member)
    if "random" in arm:
        hit = torch.rand(y.shape, generator=draw) < (0.5 if "half" in arm else 1.0)
        y = torch.where(hit, torch.randint(0, int(y.max()) + 1, y.shape, generator=draw), y)
    elif arm == "shuffled pixels":
        order = torch.randperm(x[0].numel(), generator=draw)
        x, x_test = (part.flatten(1)[:, order].view(part.shape) for part in (x, x_test))
    elif arm == "noise inputs":
        mean, spread = float(x.mean()), float(x.std())
        x, x_test = (mean + spread * torch.randn(part.shape, generator=draw) for part in (x, x_test))
    return x, y, x_test, y_test
