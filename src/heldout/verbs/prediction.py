"""The result of predicting: numbers with intervals, or why there are none."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Predicted:
    """One number of one network.

    Attributes:
        member: Its place in the population.
        target: ``accuracy`` (on unseen data) or ``gap`` (training minus unseen accuracy).
        value: None where the prediction abstains.
        low: Lower end of the interval.
        high: Upper end.
        status: ``ok``, ``abstained`` or ``not-applicable``.
        reason: Empty where the status is ok.
    """

    member: int
    target: str
    value: float | None
    low: float | None
    high: float | None
    status: str
    reason: str


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """What heldout expects of networks on unseen data, from their training data alone.

    Attributes:
        rows: One a member and target.
        level: At least this share of intervals cover, for networks drawn like those of the calibration.
        statement: What the interval means, in words.
        calibrated_on: Where the networks of the calibration came from -> how many there were.
        measures: Readings that the prediction rests on.
        familiar: One number a member: how often a known network is as far from the others; None where it was not asked.
        seed: Of everything random.
    """

    rows: Sequence[Predicted]
    level: float
    statement: str
    calibrated_on: dict[str, int]
    measures: tuple[str, ...]
    familiar: tuple[float | None, ...]
    seed: int

    def __getitem__(self, target: str) -> list[Predicted]:
        """The rows of one target, in the order of members.

        Args:
            target: ``accuracy`` or ``gap``.

        Returns:
            One a member.
        """
        return [row for row in self.rows if row.target == target]

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {
            "schema": 1, "level": self.level, "statement": self.statement, "calibrated_on": self.calibrated_on,
            "measures": list(self.measures), "familiar": list(self.familiar), "seed": self.seed,
            "rows": [asdict(row) for row in self.rows],
        }  # fmt: skip
