"""What a study gives: its table, its claims with their verdicts, its figure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from heldout._version import __version__
from heldout.catalog import units

if TYPE_CHECKING:
    import altair
    import pandas


@dataclass(frozen=True, slots=True, eq=False)
class StudyRecord:
    """A study that was run.

    Attributes:
        study: Its name.
        question: In one sentence.
        size: ``smoke``, ``laptop`` or ``paper``; says so where something was changed.
        settings: The grid and the seed.
        table: One row a seed and cell.
        claims: One each: claim, source, statistic, value, low, high, bar, verdict, reason, ...
        seconds: Wall-clock time.
    """

    study: str
    question: str
    size: str
    settings: Mapping[str, Any]
    table: "pandas.DataFrame"
    claims: list[Mapping[str, Any]]
    seconds: float

    def figure(self) -> "altair.TopLevelMixin":
        """The study's figure, an Altair chart."""
        declared = units("study")[self.study]
        rows = declared.fields["drawn"](self.table).to_dict("records")
        return units("figure")[declared.fields["figure"]].function(rows, **declared.fields["axes"])

    def to_pandas(self) -> "pandas.DataFrame":
        """The table: one row a seed and cell."""
        return self.table

    def to_dict(self) -> dict[str, Any]:
        """The record of ``heldout study run --json``: plain values, without the table."""
        return {
            "heldout": __version__,
            "study": self.study,
            "question": self.question,
            "size": self.size,
            "settings": dict(self.settings),
            "claims": [dict(claim) for claim in self.claims],
            "seconds": self.seconds,
        }
