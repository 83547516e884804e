"""Grokking at the edge of numerical stability: softmax collapse stops it; StableMax and perpGrad bring it without decay."""

from typing import Any

import pandas as pd

from heldout.catalog import Claim, find, study
from heldout.engine.population import Population
from heldout.engine.training import Recipe
from heldout.engine.training.own_data import own_data
from heldout.engine.trajectories import train

#: Reading -> column of the table.
RECORDED = {
    "train-accuracy": "train_accuracy",
    "test-accuracy": "test_accuracy",
    "softmax-collapse": "collapse_in_float32",
    "softmax-collapse-in-half": "collapse_in_float16",
    "naive-loss-minimisation": "cosine",
}
LONG = ("stablemax", "float64")  # these arms need many more steps to tell apart


def _final(table: pd.DataFrame, arm: str, column: str) -> list[float]:
    rows = table[table.arm == arm]
    return list(rows[rows.step == rows.step.max()].sort_values("member")[column])


def _largest(table: pd.DataFrame, arm: str, column: str) -> list[float]:
    return list(table[table.arm == arm].groupby("member")[column].max())


def collapse_in_float16(table: pd.DataFrame) -> list[float]:
    """Largest share of training examples with a softmax that is exactly one-hot in float16, trained with that softmax."""
    return _largest(table, "float16", "collapse_in_float16")


def collapse_in_float32(table: pd.DataFrame) -> list[float]:
    """The same of float32, trained with a softmax in float32 for as many steps."""
    return _largest(table, "float32", "collapse_in_float32")


def cosine_in_float32(table: pd.DataFrame) -> list[float]:
    """Final cosine between negative gradient and weights, the loss computed in float32."""
    return _final(table, "float32", "cosine")


def cosine_in_float16(table: pd.DataFrame) -> list[float]:
    """The same in float16, where the softmax has collapsed."""
    return _final(table, "float16", "cosine")


def accuracy_with_perp_grad(table: pd.DataFrame) -> list[float]:
    """Final test accuracy with perpGrad, without weight decay."""
    return _final(table, "perp-grad", "test_accuracy")


def accuracy_with_cross_entropy(table: pd.DataFrame) -> list[float]:
    """The same with plain cross-entropy in float32."""
    return _final(table, "float32", "test_accuracy")


def accuracy_with_stablemax(table: pd.DataFrame) -> list[float]:
    """Final test accuracy with StableMax, without weight decay."""
    return _final(table, "stablemax", "test_accuracy")


def accuracy_in_float64(table: pd.DataFrame) -> list[float]:
    """The same with cross-entropy in float64."""
    return _final(table, "float64", "test_accuracy")


def curves(table: pd.DataFrame) -> pd.DataFrame:
    """Test accuracy, collapse and cosine by step, one panel an arm."""
    names = {"test_accuracy": "test accuracy", "train_accuracy": "training accuracy", "cosine": "cosine with the weights",
             "collapse_in_float16": "collapsed in float16", "collapse_in_float32": "collapsed in float32"}  # fmt: skip
    long = table[table.step > 0].rename(columns=names).melt(["arm", "step", "member"], list(names.values()), "curve")
    rows = long.groupby(["arm", "step", "curve"]).value.agg(y="mean", low="min", high="max").dropna().reset_index()
    return rows.rename(columns={"step": "x", "arm": "panel"})


QUICK = ["float16", "float32", "perp-grad"]


@study(
    source="Prieto et al. 2025, sections 4 and 5, figures 1, 2 and 4",
    drawn=curves,
    axes={"x": "steps", "y": "accuracy, share or cosine", "log_x": True},
    sizes={
        "smoke": {"arm": QUICK, "modulus": 47, "share": 0.7, "width": 128, "steps": 200, "readings": 4, "members": 3},
        "laptop": {"arm": [*QUICK, "stablemax", "float64"], "modulus": 47, "share": 0.7, "width": 128, "steps": 600,
                   "long_steps": 16000, "members": 3},
        "paper": {"arm": [*QUICK, "stablemax", "float64"], "modulus": 113, "share": 0.4, "width": 200, "steps": 3000,
                  "long_steps": 80000, "members": 5},
    },
    claims=(
        Claim(
            "Without regularisation, training on leads to softmax collapse, the sooner the less precise the softmax is.",
            "Prieto et al. 2025, section 4.1 and figure 2",
            collapse_in_float16, bar=0.5, control=collapse_in_float32,
        ),
        Claim(
            "After the fit the gradient points along the weights (naive loss minimisation), until collapse ends it.",
            "Prieto et al. 2025, section 4.2",
            cosine_in_float32, bar=0.45, control=cosine_in_float16,
        ),
        Claim(
            "Without its part along the weights the gradient leads to grokking without weight decay, and quickly.",
            "Prieto et al. 2025, section 5.2 and figure 1 (perpGrad)",
            accuracy_with_perp_grad, bar=0.5, control=accuracy_with_cross_entropy,
        ),
        Claim(
            "StableMax groks without weight decay where cross-entropy in float64 does not.",
            "Prieto et al. 2025, section 5.1 and figure 4",
            accuracy_with_stablemax, bar=0.3, control=accuracy_in_float64,
        ),
    ),
    notes="StableMax needs over ten thousand steps here, so that the small grid leaves it out and its claim open. Float16 runs "
    "become unstable after their collapse: the largest share is read, not the last.",
)  # fmt: skip
def softmax_collapse_and_grokking(
    *, arm: str, modulus: int, share: float, width: int, steps: int, members: int, long_steps: int = 16000,
    lr: float = 0.01, weight_decay: float = 0.0, readings: int = 12, seed: int,
) -> dict[str, Any]:  # fmt: skip
    """Does the precision of the softmax stop grokking, and do StableMax and perpGrad bring it without weight decay?

    A ReLU network of two hidden layers without biases on one-hot pairs, addition mod p, AdamW (0.9, 0.999, epsilon 1e-25) on
    the whole training set. Collapse: the share of training examples with ``sum exp(z - max z) = 1`` exactly. Cosine: between
    the negative gradient of the arm's own loss and the parameters.

    Args:
        arm: ``float16``, ``float32``, ``float64`` (precision of cross-entropy), ``stablemax`` or ``perp-grad``.
        modulus: p.
        share: Of the pairs that is training data, drawn anew for every member.
        width: Of both hidden layers.
        steps: Full-batch steps.
        members: Initialisations.
        long_steps: Steps of the arms ``stablemax`` and ``float64``.
        lr: Of AdamW.
        weight_decay: Of AdamW.
        readings: Number of readings at equal distances, besides that at initialisation.
        seed: Of initialisation and splits.

    Returns:
        ``member``, ``step``, ``train_accuracy``, ``test_accuracy``, ``collapse_in_float16``, ``collapse_in_float32``,
        ``cosine``.

    Example:
        >>> table = softmax_collapse_and_grokking(arm="perp-grad", modulus=5, share=0.5, width=8, steps=2, members=2, seed=0)
        >>> sorted(set(table["step"]))
        [0, 1, 2]
    """
    pairs, dense = find("modular-arithmetic").function, find("dense").function
    data, test = own_data(lambda own: pairs(modulus=modulus, share=share, seed=own), members, seed)
    population = Population.of(
        lambda: dense(inputs=2 * modulus, widths=(width, width), outputs=modulus, bias=False), members, seed=seed
    )
    steps = long_steps if arm in LONG else steps
    recipe = Recipe(
        optimizer="adamw", lr=lr, betas=(0.9, 0.999), epsilon=1e-25, weight_decay=weight_decay, batch_size=None, steps=steps,
        loss=loss_of(arm), interventions=(find("perp-grad").function(),) if arm == "perp-grad" else (),
    )  # fmt: skip
    trajectory = train(
        population, data, recipe, test=test, record=tuple(RECORDED), every=max(1, steps // readings), seed=seed
    )
    table = trajectory.to_pandas().pivot(index=["step", "member"], columns="name", values="value")
    columns = table.rename(columns=RECORDED).reset_index()
    return {str(name): columns[name].tolist() for name in columns}


def loss_of(arm: str) -> Any:
    """The loss of an arm, as a callable where an intervention defines it, so that readings see the same loss as training.

    Args:
        arm: As of the study.

    Returns:
        A loss that a recipe takes.
    """
    if arm == "perp-grad":
        return "cross-entropy"
    made = find("stablemax").function() if arm == "stablemax" else find("loss-precision").function(precision=arm)
    return lambda outputs, labels: made.losses(outputs, labels, outputs, labels)
