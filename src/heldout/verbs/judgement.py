"""The result of judging: scores of every measure by every criterion, and what may be said of each."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Score:
    """One measure by one criterion.

    Attributes:
        measure: Its name.
        criterion: Its name, with the part where it has several.
        axis: The hyper-parameter it was asked of; empty for all.
        value: The score.
        low: Lower end of the 95 % interval over configurations; None where there is none.
        high: Upper end.
        chance_low: 2.5 % quantile where there is no association; None where none was simulated.
        chance_high: 97.5 % quantile.
        networks: Of the ledger that had this measure.
    """

    measure: str
    criterion: str
    axis: str
    value: float | None
    low: float | None
    high: float | None
    chance_low: float | None
    chance_high: float | None
    networks: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """What may be said of one measure.

    Attributes:
        measure: Its name.
        words: ``predicts beyond the design``, ``predicts as the design does``, ``points the wrong way`` or ``nothing beyond chance``.
        association: Probability of so large a Kendall's tau by chance.
        beyond: The same when only the seeds of each configuration are exchanged; None with one seed a configuration.
        smallest: The least tau that this ledger finds four times in five.
        warning: Where the pooled sign is the opposite of the sign within the values of a hyper-parameter; empty otherwise.
    """

    measure: str
    words: str
    association: float
    beyond: float | None
    smallest: float
    warning: str


@dataclass(frozen=True, slots=True, eq=False)
class Judgement:
    """The table of measures.

    Attributes:
        ledger: Its name.
        target: What was to be predicted.
        networks: N.
        axes: Hyper-parameters that vary.
        ceiling: Kendall's tau that the exact target would reach against the measured one.
        scores: Every measure by every criterion.
        verdicts: One a measure.
        seed: Of permutations and resamples.
    """

    ledger: str
    target: str
    networks: int
    axes: tuple[str, ...]
    ceiling: float
    scores: list[Score]
    verdicts: list[Verdict]
    seed: int

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {
            "schema": 1, "ledger": self.ledger, "target": self.target, "networks": self.networks, "axes": list(self.axes),
            "ceiling": self.ceiling, "seed": self.seed, "scores": [asdict(score) for score in self.scores],
            "verdicts": [asdict(verdict) for verdict in self.verdicts],
        }  # fmt: skip
