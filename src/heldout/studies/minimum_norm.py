"""Which interpolator gradient descent finds in under-determined least squares: the nearest one to its start."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from heldout.catalog import Claim, study
from heldout.engine.population import Population
from heldout.engine.subject import Examples
from heldout.engine.training import Recipe, fit

#: Relative distances below this are rounding.
FLOOR = 1e-16
OPTIMIZERS = {"zero": "gradient-descent", "elsewhere": "gradient-descent", "stochastic": "sgd", "adam": "adam"}


def final(table: pd.DataFrame, arm: str, column: str) -> list[float]:
    """Decimal logarithm of a column at the last step of an arm, mean over dimensions, by member."""
    rows = table[(table.arm == arm) & (table.step == table.step.max())]
    rows = rows.assign(digits=np.log10(np.maximum(rows[column], FLOOR)))
    return list(rows.groupby("member").digits.mean())


def from_zero(table: pd.DataFrame) -> list[float]:
    """Decimal logarithm of the relative distance to the minimum-norm solution after gradient descent from zero."""
    return final(table, "zero", "to_minimum")


def from_elsewhere(table: pd.DataFrame) -> list[float]:
    """The same from a random start."""
    return final(table, "elsewhere", "to_minimum")


def elsewhere_to_projection(table: pd.DataFrame) -> list[float]:
    """Decimal logarithm of the relative distance to the solution nearest to a random start, after gradient descent from it."""
    return final(table, "elsewhere", "to_nearest")


def stochastic_from_zero(table: pd.DataFrame) -> list[float]:
    """Decimal logarithm of the relative distance to the minimum-norm solution after stochastic gradient descent from zero."""
    return final(table, "stochastic", "to_minimum")


def adam_from_zero(table: pd.DataFrame) -> list[float]:
    """Decimal logarithm of the relative distance to the minimum-norm solution after Adam from zero."""
    return final(table, "adam", "to_minimum")


def adam_misfit(table: pd.DataFrame) -> list[float]:
    """Decimal logarithm of the relative training residual after Adam from zero."""
    return final(table, "adam", "misfit")


def curves(table: pd.DataFrame) -> pd.DataFrame:
    """Geometric mean over members of the relative distances by step, one panel a dimension."""
    names = {"zero": "from zero", "elsewhere": "from elsewhere", "stochastic": "from zero, mini-batches",
             "adam": "from zero, Adam"}  # fmt: skip
    rows = table.assign(y=np.log(np.maximum(table.to_minimum, FLOOR)), curve=table.arm.map(names))
    nearest = rows[rows.arm == "elsewhere"].assign(
        y=np.log(np.maximum(rows[rows.arm == "elsewhere"].to_nearest, FLOOR)), curve="from elsewhere, to its projection"
    )
    both = pd.concat([rows, nearest])
    both = both[both.step > 0].groupby(["dimension", "curve", "step"]).y.mean().reset_index()
    panel = [f"{dimension} dimensions" for dimension in both.dimension]
    return both.assign(y=np.exp(both.y), panel=panel).rename(columns={"step": "x"}).drop(columns="dimension")


ARMS = {"arm": list(OPTIMIZERS), "examples": 20}


@study(
    source="Zhang et al. 2017, section 5; Gunasekar et al. 2018",
    drawn=curves,
    axes={"x": "steps", "y": "relative distance to the minimum-norm solution", "log_x": True, "log_y": True},
    sizes={
        "smoke": {**ARMS, "dimension": 200, "steps": 1000, "members": 8},
        "laptop": {**ARMS, "dimension": [60, 100, 400], "steps": 4000, "members": 20},
        "paper": {**ARMS, "examples": 100, "dimension": [300, 500, 2000], "steps": 40000, "members": 50},
    },
    claims=(
        Claim(
            "Gradient descent from zero converges to the interpolator of minimum norm; from elsewhere it does not.",
            "Zhang et al. 2017, section 5",
            from_zero, bar=-7.0, above=False, control=from_elsewhere,
        ),
        Claim(
            "From elsewhere it converges to the interpolator nearest to its start.",
            "Gunasekar et al. 2018, section 2",
            elsewhere_to_projection, bar=-7.0, above=False, control=from_elsewhere,
        ),
        Claim(
            "Mini-batches change nothing: their gradients lie in the span of the examples too.",
            "Zhang et al. 2017, section 5",
            stochastic_from_zero, bar=-6.5, above=False, control=adam_from_zero,
        ),
        Claim(
            "Adam from zero finds another interpolator.",
            "Wilson et al. 2017, section 3",
            adam_from_zero, bar=-7.0, control=from_zero,
        ),
        Claim("Adam too fits the labels, to a hundredth.", "Wilson et al. 2017, section 3", adam_misfit, bar=-2.0, above=False),
    ),
    notes="At a constant step size Adam's residual bursts now and then (at laptop size 1e-8 of the labels after 4000 steps, 1e-4 "
    "after 6000), so the last bar is a hundredth; its distance to the minimum-norm solution is far above either.",
)  # fmt: skip
def minimum_norm(
    *, arm: str, examples: int, dimension: int, steps: int, members: int, noise: float = 0.5, start: float = 1.0,
    batch_size: int = 5, seed: int,
) -> dict[str, Any]:  # fmt: skip
    """Which of the many interpolators of under-determined least squares does gradient descent find?

    ``y = X b + noise`` with Gaussian X, ``|b| = 1``, more dimensions than examples. Every gradient lies in the span of the
    examples, so what the start has outside it stays: the limit from w(0) is ``pinv(X) y + (I - pinv(X) X) w(0)``, the
    interpolator nearest to w(0), and from zero the one of minimum norm. Adam's steps leave the span.

    Args:
        arm: ``zero``, ``elsewhere`` (gradient descent from a Gaussian start), ``stochastic``, ``adam`` (both from zero).
        examples: n.
        dimension: d, larger.
        steps: Of training.
        members: Independent data sets and starts, the same for every arm.
        noise: Standard deviation of the labels' noise.
        start: Norm that the random start has on average.
        batch_size: Of ``stochastic``.
        seed: Of data, starts and batches.

    Returns:
        ``member``, ``step``, relative distances ``to_minimum`` and ``to_nearest`` over the norm of the minimum-norm solution,
        ``misfit`` (norm of the residual over that of the labels), ``arm``.

    Example:
        >>> table = minimum_norm(arm="zero", examples=3, dimension=30, steps=100, members=1, seed=0)
        >>> table["to_minimum"][0], table["to_minimum"][-1] < 1e-9
        (1.0, True)
    """
    draw = np.random.default_rng(seed)
    x = torch.from_numpy(draw.standard_normal((members, examples, dimension)))
    teacher = torch.from_numpy(draw.standard_normal((members, dimension, 1)))
    teacher /= teacher.norm(dim=1, keepdim=True)
    y = x @ teacher + noise * torch.from_numpy(draw.standard_normal((members, examples, 1)))
    begun = start / dimension**0.5 * torch.from_numpy(draw.standard_normal((members, dimension, 1)))
    begun *= arm == "elsewhere"
    inverse = torch.linalg.pinv(x)
    minimum = inverse @ y
    nearest = minimum + begun - inverse @ (x @ begun)
    largest = torch.linalg.matrix_norm(x, ord=2).square() * 2 / examples  # curvature of the mean squared error
    single = 2 * x.square().sum(2).amax(1)  # a bound on it for every batch
    rate = {"stochastic": 1 / single, "adam": torch.full((members,), 0.003)}.get(arm, 1 / largest)
    population = _linear(begun)
    columns: dict[str, list[Any]] = {name: [] for name in ("member", "step", "to_minimum", "to_nearest", "misfit")}

    def on_record(step: int, now: Population) -> None:
        weights = now.parameters["weight"].mT
        columns["member"] += range(members)
        columns["step"] += [step] * members
        for name, solution in (("to_minimum", minimum), ("to_nearest", nearest)):
            columns[name] += _norms(weights - solution, minimum)
        columns["misfit"] += _norms(x @ weights - y, y)

    recipe = Recipe(
        optimizer=OPTIMIZERS[arm], lr=rate.tolist(), momentum=0.0, steps=steps, loss="squared-error",
        batch_size=batch_size if arm == "stochastic" else None,
    )  # fmt: skip
    at = sorted({0, *np.geomspace(1, steps, 40).round().astype(int).tolist()})
    fit(population, Examples(x, y, x_per_member=True, y_per_member=True), recipe, seed=seed, at=at, on_record=on_record)
    return {**columns, "arm": [arm] * len(columns["step"])}


def _linear(weights: Tensor) -> Population:
    make: Callable[[], nn.Module] = lambda: nn.Linear(weights.shape[1], 1, bias=False, dtype=weights.dtype)  # noqa: E731
    population = Population.of(make, len(weights), seed=0)
    return population.with_tensors({"weight": weights.mT.contiguous()}, {})


def _norms(off: Tensor, unit: Tensor) -> list[float]:
    return (off.norm(dim=1) / unit.norm(dim=1))[:, 0].tolist()
