"""Records of studies: claims with their verdicts, and the rows of the figure."""

import json
from collections.abc import Mapping
from typing import Any

from heldout.engine.store.results import write_result
from heldout.engine.store.segments import listed
from heldout.engine.store.store import RUN, Store
from heldout.records import Refusal


def write_study(store: Store, record: Mapping[str, Any]) -> str:
    """Keep a record.

    Args:
        store: Where.
        record: What ``StudyRecord.to_dict`` gave.

    Returns:
        The run's name.
    """
    return write_result(store, "study", record)


def study_runs(store: Store) -> list[dict[str, Any]]:
    """The studies that are stored, oldest first.

    Args:
        store: Where.

    Returns:
        Their records, each with its ``run``.
    """
    names = [name for name in listed(store.files, f"{store.path}/studies", ".json") if RUN.fullmatch(name)]
    return [{"run": name, **json.loads(store.files.cat_file(f"{store.path}/studies/{name}.json"))} for name in names]


def find_study_run(store: Store, name: str) -> dict[str, Any]:
    """A stored study.

    Args:
        store: Where.
        name: Of the study, whose last run is meant, or of the run, or a beginning or end of one.

    Returns:
        Its record.

    Raises:
        Refusal: If there is none.
    """
    kept = study_runs(store)
    found = [
        record
        for record in kept
        if record["study"] == name or record["run"].startswith(name) or record["run"].endswith(name)
    ]
    if not found or not name:
        known = ", ".join(dict.fromkeys(record["study"] for record in kept)) or "none yet"
        raise Refusal(
            given=f"study was '{name}', which store '{store.url}' does not hold",
            expected=f"one that was run there ({known})",
            do="run it with 'heldout study run', or pass the store that it was kept in",
        )
    return found[-1]
