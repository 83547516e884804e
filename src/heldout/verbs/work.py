"""An audit under way, kept in a store so that a killed one can be taken up again."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from heldout.engine.store import Store, drop_parts, keep_part, parts
from heldout.engine.subject import Subject
from heldout.engine.subject.fingerprint import fingerprint
from heldout.records import Passes, Reading


@dataclass(frozen=True, slots=True)
class Work:
    """What was finished before, and where to keep what will be.

    Attributes:
        store: None if nothing is kept.
        key: Of the same subject, seed, settings and version.
        finished: Readings that an earlier process made.
        spent: Passes that it made them with.
    """

    store: Store | None
    key: str
    finished: Mapping[str, Reading]
    spent: Passes

    @classmethod
    def under_way(cls, store: str, subject: Subject, settings: tuple[object, ...]) -> Self:
        """The work on this subject, taken up where it was.

        Args:
            store: A directory or URL; empty to keep nothing.
            subject: What is audited.
            settings: Whatever else decides the numbers.

        Returns:
            The work.
        """
        if not store:
            return cls(None, "", {}, Passes())
        place = Store(store)
        place.check_writable()
        key = fingerprint(subject, *settings)
        kept = parts(place, key)
        spent = [Passes(**part["spent"]) for part in kept.values()]
        most = max(spent, key=lambda passes: passes.forward + passes.backward, default=Passes())
        return cls(place, key, {name: Reading.from_rows(part["rows"]) for name, part in kept.items()}, most)

    def keep(self, reading: Reading, spent: Passes) -> None:
        """Keep a finished reading.

        Args:
            reading: It.
            spent: All passes so far.
        """
        if self.store is not None:
            passes = {"forward": spent.forward, "backward": spent.backward}
            keep_part(self.store, self.key, reading.name, {"rows": reading.rows(), "spent": passes})

    def close(self, record: Mapping[str, Any]) -> str:
        """Keep the record and let the parts go.

        Args:
            record: Of the finished audit.

        Returns:
            The run's name; empty if nothing is kept.
        """
        if self.store is None:
            return ""
        run = self.store.write_audit(record)
        drop_parts(self.store, self.key)
        return run
