"""The result of judging: scores of every measure by every criterion, and what may be said of each."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from heldout._version import __version__

SCHEMA = 2


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
        ceiling: What the exact target itself would score; None where nobody knows.
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
    ceiling: float | None
    networks: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """What may be said of one measure.

    Attributes:
        measure: Its name.
        kind: ``measure``; ``baseline``, which every measure should beat; or ``control``, whose worth is known.
        words: One of :data:`heldout.verbs.standing.WORDS`.
        direction: What a larger value was declared to promise; ``neither`` where nobody declared it.
        tau: Kendall's, turned so that a larger measure promises more error.
        association: Probability of so large a tau by chance.
        beyond: The same when only the seeds of each configuration are exchanged; None with one seed a configuration.
        smallest: The least tau that this table finds four times in five; None where it is so small that it finds none.
        smallest_beyond: The least tau above the design's own that it finds four times in five; None where it finds none.
        possible_beyond: The tau above the design's own that the exact target has; None with one seed.
        warning: Where the pooled sign is the opposite of the sign within the values of a hyper-parameter; empty otherwise.
    """

    measure: str
    kind: str
    words: str
    direction: str
    tau: float
    association: float
    beyond: float | None
    smallest: float | None
    smallest_beyond: float | None
    possible_beyond: float | None
    warning: str


@dataclass(frozen=True, slots=True, eq=False)
class Judgement:
    """The table of measures.

    Attributes:
        ledger: Its name.
        target: What was to be predicted.
        networks: N.
        axes: Hyper-parameters that vary.
        ceiling: Kendall's tau that the exact target would reach against the measured one; None where nobody knows.
        scores: Every measure by every criterion.
        verdicts: One a measure.
        absent: Measure -> why it could not be judged.
        notes: What the table lacks, one sentence each.
        seed: Of permutations and resamples.
        claims: Of the literature, with what this ledger says of each; empty unless they were asked for.
        kept: Where the ledger was kept; empty if it was not made here.
    """

    ledger: str
    target: str
    networks: int
    axes: tuple[str, ...]
    ceiling: float | None
    scores: list[Score]
    verdicts: list[Verdict]
    absent: Mapping[str, str]
    notes: tuple[str, ...]
    seed: int
    claims: tuple[Mapping[str, Any], ...] = ()
    kept: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {
            "heldout": __version__, "schema": SCHEMA, "ledger": self.ledger, "target": self.target, "networks": self.networks,
            "axes": list(self.axes), "ceiling": self.ceiling, "seed": self.seed, "notes": list(self.notes),
            "absent": dict(self.absent), "verdicts": [asdict(verdict) for verdict in self.verdicts],
            "scores": [asdict(score) for score in self.scores], "claims": [dict(claim) for claim in self.claims],
            "criteria": self._criteria(),
        }  # fmt: skip

    def report(self, path: str = "judge.html") -> str:
        """Write the page, one HTML file.

        Args:
            path: Where.

        Returns:
            The path.
        """
        from heldout.faces.report import write_judgement_report

        return write_judgement_report(self.to_dict(), path)

    def _criteria(self) -> list[dict[str, Any]]:
        """What the criteria that were asked are, for readers of the record."""
        from heldout.catalog import units

        asked = {score.criterion.partition(",")[0] for score in self.scores}
        return [
            {
                "name": name, "summary": unit.summary, "source": unit.source, "range": [_finite(end) for end in unit.fields["range"]],
                "smaller_is_better": unit.fields["smaller_is_better"], "sign_blind": unit.fields["sign_blind"],
                "by_axis": unit.fields["by_axis"],
            }
            for name, unit in units("criterion").items()
            if name in asked
        ]  # fmt: skip


def _finite(end: float) -> float | None:
    return end if abs(end) != float("inf") else None
