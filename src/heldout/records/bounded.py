"""What a bound says, before it becomes certificates: values of all members with what they rest on."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Steps = tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Bounded:
    """Upper bounds on the risk of every member, and the account behind them.

    Attributes:
        value: ``[M]``, in units of the loss, rounded up.
        steps: Words and shares of delta, adding up to 1; empty where the number is no statement of probability.
        empirical_risk: ``[M]``, mean loss on the examples that were used.
        examples: How many those are.
        loss: Which loss.
        loss_range: Its smallest and largest value.
        guessing: The loss of a predictor that guesses evenly, below which a bound begins to speak; None where only the largest
            value of the loss is known to be empty.
        certifies: The object, where it is another than the unit declares.
        data: Role -> which examples, in words.
        code: Part of the message -> bits, where a code is involved.
        baseline: ``[M]``, Clopper-Pearson on the held-out points that were consumed; None where none were.
        terms: Name -> ``[M]``, the numbers that the value is made from (a divergence in nats, a norm, ...).
    """

    value: Floats
    steps: Steps
    empirical_risk: Floats
    examples: int
    loss: str = "0-1 error"
    loss_range: tuple[float, float] = (0.0, 1.0)
    guessing: float | None = None
    certifies: str = ""
    data: Mapping[str, str] = field(default_factory=dict)
    code: Mapping[str, float] = field(default_factory=dict)
    baseline: Floats | None = None
    terms: Mapping[str, Floats] = field(default_factory=dict)
