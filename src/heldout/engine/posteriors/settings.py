"""How a posterior is trained."""

import math
from dataclasses import dataclass

from heldout.engine.posteriors.objectives import objective_named
from heldout.records import Refusal


@dataclass(frozen=True, slots=True)
class Settings:
    """How a posterior is trained. Nothing here moves the validity of a bound, only its size.

    Attributes:
        objective: ``"quadratic"``, ``"lambda"``, ``"classic"`` or ``"dziugaite-roy"``.
        per: ``"weight"`` for a scale of every weight, ``"layer"`` for one of every parameter tensor.
        scale: Standard deviation of all weights at the start.
        steps: Of Adam; the rates fall linearly to zero.
        batch_size: Examples a step, drawn anew each time.
        lr: Of the means.
        scale_lr: Of the logarithms of the scales.
        floor: Smallest probability of the cross-entropy.
        unit: How many nats of it count as one error.
        delta: Failure probability that the objective is written for.

    Raises:
        Refusal: If a setting is out of its range.
    """

    objective: str = "quadratic"
    per: str = "weight"
    scale: float = 0.03
    steps: int = 1500
    batch_size: int = 256
    lr: float = 1e-3
    scale_lr: float = 1e-2
    floor: float = 1e-5
    unit: float = math.log(2)
    delta: float = 0.025

    def __post_init__(self) -> None:
        """Refuse what cannot be followed."""
        objective_named(self.objective)
        if self.per not in ("weight", "layer"):
            raise Refusal(given=f"per was '{self.per}'", expected="'weight' or 'layer'", do="choose one of these")
        for name in ("scale", "steps", "batch_size", "lr", "scale_lr", "unit"):
            if not getattr(self, name) > 0:
                raise Refusal(
                    given=f"{name} was {getattr(self, name)}", expected="a positive number", do=f"pass another {name}"
                )
        for name in ("floor", "delta"):
            if not 0 < getattr(self, name) < 1:
                raise Refusal(
                    given=f"{name} was {getattr(self, name)}", expected="a number strictly between 0 and 1",
                    do=f"pass another {name}",
                )  # fmt: skip
