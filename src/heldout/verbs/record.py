"""The result of an audit: one record, which the terminal, the report, the store and notebooks all read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from heldout._version import __version__
from heldout.records import Certificate, Passes, Profile, Reading, Refusal

if TYPE_CHECKING:
    import pandas

SCHEMA = 1
COLUMNS = (
    "member", "name", "family", "value", "low", "high", "standard_error",
    "unit", "direction", "status", "reason", "seconds",
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Audit:
    """Everything that was read from a subject.

    Attributes:
        subject: The subject in plain values.
        verdict: Headline, sentences, gap with its interval.
        readings: Name -> reading.
        profiles: Name -> table.
        certificates: One for each bound and member.
        contrasts: How far each reading tells the subject's groups apart; empty without groups.
        seed: From which every random stream derived.
        passes: Spent over the training set.
        seconds: Wall-clock time.
        run: Its name in the store it was kept in; empty if it was not.
        atlas: Where the readings lie among those of the atlas: networks, reasons, rows, left_out; empty in records made before it.
    """

    subject: Mapping[str, Any]
    verdict: Mapping[str, Any]
    readings: Mapping[str, Reading]
    profiles: Mapping[str, Profile]
    certificates: list[Certificate]
    contrasts: tuple[Mapping[str, Any], ...]
    seed: int
    passes: Passes
    seconds: float
    run: str = ""
    atlas: Mapping[str, Any] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Reading:
        """The reading of this name.

        Args:
            name: Such as ``"path-norm"``.

        Returns:
            The reading; its status says whether there is a number.

        Raises:
            Refusal: If there is no such reading.
        """
        if name not in self.readings:
            import difflib

            near = difflib.get_close_matches(name, self.readings, n=3, cutoff=0.4) or list(self.readings)[:3]
            raise Refusal(
                given=f"'{name}' is not among the readings",
                expected=f"a name such as {', '.join(near)}",
                do="see 'heldout list'",
            )
        return self.readings[name]

    def rows(self) -> list[dict[str, Any]]:
        """All readings' rows, in the order of the catalog, one a reading and member."""
        return [row for reading in self.readings.values() for row in reading.rows()]

    def tables(self) -> dict[str, Sequence[Mapping[str, Any]]]:
        """Every table that a figure may ask for: readings, certificates, contrasts, and the profiles by name."""
        profiles = {name.replace("-", "_"): profile.rows for name, profile in self.profiles.items()}
        certificates = [certificate.row() for certificate in self.certificates]
        return {"readings": self.rows(), "certificates": certificates, "contrasts": self.contrasts, **profiles}

    def to_dict(self) -> dict[str, Any]:
        """The record that ``--json`` writes."""
        return {
            "heldout": __version__,
            "schema": SCHEMA,
            "seed": self.seed,
            "verdict": dict(self.verdict),
            "subject": dict(self.subject),
            "readings": self.rows(),
            "profiles": [
                {"name": profile.name, "family": profile.family, "rows": [dict(row) for row in profile.rows]}
                for profile in self.profiles.values()
            ],
            "certificates": [certificate.row() for certificate in self.certificates],
            "contrasts": [dict(row) for row in self.contrasts],
            "passes": {"forward": self.passes.forward, "backward": self.passes.backward},
            "seconds": self.seconds,
            "atlas": dict(self.atlas),
        }

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> "Audit":
        """Rebuild an audit from its record.

        Args:
            record: What :meth:`to_dict` gave.

        Returns:
            The audit.

        Raises:
            Refusal: If a newer heldout wrote it.
        """
        if record.get("schema", 0) > SCHEMA:
            raise Refusal(
                given=f"the record has schema {record['schema']}",
                expected=f"at most {SCHEMA}",
                do="upgrade heldout to read it",
            )
        by_name: dict[str, list[Mapping[str, Any]]] = {}
        for row in record["readings"]:
            by_name.setdefault(row["name"], []).append(row)
        return cls(
            subject=record["subject"],
            verdict=record["verdict"],
            readings={name: Reading.from_rows(rows) for name, rows in by_name.items()},
            profiles={
                row["name"]: Profile(row["name"], row["family"], tuple(row["rows"])) for row in record["profiles"]
            },
            certificates=[Certificate.from_row(row) for row in record["certificates"]],
            contrasts=tuple(record["contrasts"]),
            seed=record["seed"],
            passes=Passes(**record["passes"]),
            seconds=record["seconds"],
            atlas=record.get("atlas", {}),
        )

    def to_pandas(self) -> "pandas.DataFrame":
        """The readings as a data frame, one row a reading and member; a missing number is NaN there."""
        import pandas

        return pandas.DataFrame(
            [{column: row[column] for column in COLUMNS} for row in self.rows()], columns=list(COLUMNS)
        )

    def report(self, path: str) -> str:
        """Write the report, one self-contained HTML file.

        Args:
            path: Where; the file is written whole and then renamed.

        Returns:
            The path.
        """
        from heldout.faces.report import write_report

        return write_report(self.to_dict(), path)

    def save(self, store: str) -> str:
        """Put the record into a store.

        Args:
            store: A directory or any fsspec URL.

        Returns:
            The run's name, for ``heldout show``.
        """
        from heldout.engine.store import Store

        return Store(store).write_audit(self.to_dict())

    def _repr_html_(self) -> str:
        """Verdict and readings for notebooks."""
        from heldout.faces.report import fragment

        return fragment(self.to_dict())
