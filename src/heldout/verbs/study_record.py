"""What a study gives: its table, its claims with their verdicts, its figure."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
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

    def report(self, path: str) -> str:
        """Write the page: question, claims with verdicts, figure; one file that opens anywhere.

        Args:
            path: Where.

        Returns:
            The path.
        """
        from heldout.faces.report import write_study_report

        return write_study_report(self.to_dict(), path)

    def save(self, store: str) -> str:
        """Keep the record in a store.

        Args:
            store: Directory or URL.

        Returns:
            The run's name.
        """
        from heldout.engine.store import Store, write_study
        from heldout.engine.store.writing import said_in_a_sentence

        with said_in_a_sentence(store, "finished cells are kept"):
            return write_study(Store(store), self.to_dict())

    def figure(self) -> "altair.TopLevelMixin":
        """The study's figure, an Altair chart."""
        declared = units("study")[self.study]
        return units("figure")[declared.fields["figure"]].function(self._drawn(), **declared.fields["axes"])

    def to_pandas(self) -> "pandas.DataFrame":
        """The table: one row a seed and cell."""
        return self.table

    def to_dict(self) -> dict[str, Any]:
        """The record of ``heldout study run --json``: plain values; of the table the rows that the figure draws."""
        declared = units("study")[self.study]
        return {
            "heldout": __version__,
            "study": self.study,
            "question": self.question,
            "source": declared.source,
            "about": declared.about.partition("Args:")[0].strip(),
            "notes": declared.fields["notes"],
            "size": self.size,
            "settings": plain(dict(self.settings)),
            "claims": [plain(dict(claim)) for claim in self.claims],
            "figure": {
                "name": declared.fields["figure"],
                "axes": dict(declared.fields["axes"]),
                "rows": plain(self._drawn()),
            },
            "seconds": self.seconds,
        }

    def _drawn(self) -> list[dict[str, Any]]:
        rows = units("study")[self.study].fields["drawn"](self.table)
        return list(rows.to_dict("records"))


def plain(value: Any) -> Any:
    """A value as JSON holds it: numbers of Python, None for what is not finite.

    Args:
        value: Numbers, strings, lists, dictionaries.

    Returns:
        The same in plain types.

    Example:
        >>> plain({"a": float("nan"), "b": (1, 2)})
        {'a': None, 'b': [1, 2]}
    """
    if isinstance(value, Mapping):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [plain(entry) for entry in value]
    if hasattr(value, "item"):
        value = value.item()
    return value if not isinstance(value, float) or isfinite(value) else None
