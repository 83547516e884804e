"""Results of every kind: each kind has a folder of its own, audits where they always were."""

import json
from collections.abc import Mapping
from typing import Any

from heldout.engine.store.segments import folders, listed, publish
from heldout.engine.store.store import RUN, Store, matched, named
from heldout.engine.store.summaries import summary
from heldout.records import Refusal

#: Kind -> folder. A training is a folder of segments; all others are one record each.
FOLDERS = {
    "audit": "runs",
    "certification": "certifications",
    "judgement": "judgements",
    "posterior": "posteriors",
    "prediction": "predictions",
    "study": "studies",
    "training": "trajectories",
}


def write_result(store: Store, kind: str, record: Mapping[str, Any]) -> str:
    """Keep a record, whole.

    Args:
        store: Where.
        kind: One of :data:`FOLDERS` but ``training``, which grows by itself.
        record: Plain values.

    Returns:
        The run's name.

    Example:
        >>> store = Store("memory://a-kept-judgement")
        >>> run = write_result(store, "judgement", {"ledger": "atlas", "verdicts": [], "networks": 2})
        >>> [(row["kind"], row["subject"]) for row in result_runs(store)]
        [('judgement', 'atlas')]
    """
    if kind == "audit":
        return store.write_audit(record)
    run, content = named(record)
    store.begin()
    publish(store.files, f"{store.path}/{FOLDERS[kind]}/{run}.json", content)
    return run


def result_names(store: Store) -> dict[str, str]:
    """What is stored, by name alone: no record is opened.

    Args:
        store: Where.

    Returns:
        Run -> kind, oldest first. Two kinds never share a name but by a writer's hand; then the first of :data:`FOLDERS` is meant.
    """
    found: dict[str, str] = {}
    for kind, folder in FOLDERS.items():
        place = f"{store.path}/{folder}"
        names = folders(store.files, place) if kind == "training" else listed(store.files, place, ".json")
        for name in names:
            if RUN.fullmatch(name):
                found.setdefault(name, kind)
    return dict(sorted(found.items()))


def read_result(store: Store, kind: str, run: str) -> dict[str, Any]:
    """A record; of a training what was said at its beginning, with ``outcome``, which is None while it goes on.

    Args:
        store: Where.
        kind: Of the run.
        run: A name that :func:`result_names` lists.

    Returns:
        What was written.

    Raises:
        Refusal: If there is nothing that can be read, such as a record that was copied by half.
    """
    place = f"{store.path}/{FOLDERS[kind]}/{run}"
    try:
        if kind != "training":
            record = _object(store.files.cat_file(f"{place}.json"))
        else:
            record = _object(store.files.cat_file(f"{place}/about.json"))
            ended = bool(store.files.exists(f"{place}/final.json"))
            record["outcome"] = _object(store.files.cat_file(f"{place}/final.json")) if ended else None
    except (OSError, ValueError) as error:
        raise Refusal(
            given=f"the record of {kind} '{run}' cannot be read ({_reason(error)})",
            expected="a record as heldout writes it, whole",
            do="copy it again from where it came, or remove it",
        ) from None
    return record


def result_runs(store: Store) -> list[dict[str, Any]]:
    """What is stored, oldest first.

    Args:
        store: Where.

    Returns:
        ``run, kind, written, subject, members, headline, heldout, note`` of each; ``note`` says why a record could not be read.
    """
    return [summarised(store, kind, run) for run, kind in result_names(store).items()]


def summarised(store: Store, kind: str, run: str) -> dict[str, Any]:
    """What a list says of a run.

    Args:
        store: Where.
        kind: Of the run.
        run: Its name.

    Returns:
        A row of :func:`result_runs`.
    """
    try:
        record = read_result(store, kind, run)
    except Refusal as refusal:
        return blank(kind, run, note=str(refusal))
    return summary(kind, run, record)


def blank(kind: str, run: str, note: str = "") -> dict[str, Any]:
    """What can be said of a run whose record is not read, or not yet.

    Args:
        kind: Of the run.
        run: Its name.
        note: Why.

    Returns:
        A row of :func:`result_runs`.

    Example:
        >>> blank("audit", "20260131T235959Z-0123456789ab")["written"]
        '2026-01-31T23:59:59+00:00'
    """
    return {**summary(kind, run, {}), "note": note}


def find_result(store: Store, run: str) -> tuple[str, str]:
    """Kind and whole name of a run. Only names that are listed are ever opened, so none leads out of the store.

    Args:
        store: Where.
        run: A name, or a beginning or an end of one.

    Returns:
        Kind and name.
    """
    names = result_names(store)
    name = matched(run, list(names), store.url)
    return names[name], name


def _object(content: bytes) -> dict[str, Any]:
    found = json.loads(content)
    return found if isinstance(found, dict) else json.loads("")


def _reason(error: Exception) -> str:
    words = getattr(error, "strerror", None) or "it is no whole JSON object"
    return str(words)[:1].lower() + str(words)[1:]
