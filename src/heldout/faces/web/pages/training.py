"""The page of a training run: where it stands, in words; its curves over its phases; what to do; and every reading's last value."""

from collections.abc import Mapping, Sequence
from typing import Any

from heldout.catalog import units
from heldout.faces.numbers import interval, number, span
from heldout.faces.web.addresses import events_address, page_address
from heldout.faces.web.pages.curves import curves_of
from heldout.faces.web.pages.shell import page_of, trail_of
from heldout.faces.web.pages.words import cleaned, counted

Plain = Mapping[str, Any]
#: Readings of a watched run that are no measure of the catalog.
MEANINGS = {
    "loss": "Loss of the batch, as the training loop passed it.",
    "train-loss": "Mean loss on training data.",
    "train-error": "Share of training examples on which it errs.",
    "validation-loss": "Mean loss on data held out for validation.",
    "validation-error": "Share of validation examples on which it errs.",
    "gap": "Error on validation data minus error on training data.",
    "random-label-probe": "How fast random labels are being fitted.",
}


def training_page(
    run: str, about: Plain, table_rows: Sequence[Plain], phases: Sequence[Plain], advice: Plain | None
) -> str:
    """``/trainings/RUN``.

    Args:
        run: Its name.
        about: What was said at its beginning, with ``finished``, ``outcome`` (None while it runs), ``last`` (the last segment that
            ``table_rows`` holds), ``rows`` (how many there are in all) and ``notes`` (sentences on segments that could not be read).
        table_rows: Readings in the order of steps.
        phases: ``name, begin, end, confidence, detected, why``.
        advice: None where none can be given.

    Returns:
        The page; it goes on by itself while the run does.
    """
    about = {
        **dict.fromkeys(("network", "parameters", "train", "validation", "started", "notes")),
        **about,
    }  # other writers say less
    figures = curves_of(table_rows, phases)
    finished = bool(about.get("finished"))
    live = {
        "events": events_address(run),
        "after": about.get("last") or "",
        "finished": finished,
        "figures": {name: figure.readings for name, figure in figures.items()},
    }
    return page_of(
        "training.html.j2", run=run, about=about, name=about.get("name") or run, progress=progress_of(about, table_rows),
        sentence=sentence(phases, table_rows, finished), phases=phases, advice=_advice(advice), latest=latest(table_rows),
        figures=figures, live=live, facts=_facts(about), shape="wide", trail=trail_of("training", run),
        figure_path=f"/figures{page_address('training', run)}", scripts=("live.js",),
        specifications={name: figure.specification for name, figure in figures.items()},
    )  # fmt: skip


def sentence(phases: Sequence[Plain], rows: Sequence[Plain], finished: bool) -> str:
    """Where a run stands, or how it ended, in one sentence.

    Args:
        phases: That it went through.
        rows: Its readings.
        finished: Whether it ended.

    Returns:
        The sentence.

    Example:
        >>> sentence([{"name": "fitting", "begin": 0, "end": None, "confidence": 0.97}], [{"step": 3}], False)
        'Fitting since step 0, 97 % sure.'
        >>> sentence([], [], False)
        'Nothing has been read yet.'
    """
    if not rows:
        return "It ended before anything was read." if finished else "Nothing has been read yet."
    if not phases or phases[-1]["name"] == "undecided":
        return "It ended, and no phase could be told." if finished else "No phase can be told yet."
    phase = phases[-1]
    sure = f", {100 * phase['confidence']:.0f} % sure" if phase.get("confidence") is not None else ""
    words = f"{phase['name']} since step {counted(phase['begin'])}{sure}."
    return f"At its end: {words}" if finished else words[0].upper() + words[1:]


def progress_of(about: Plain, rows: Sequence[Plain]) -> dict[str, Any]:
    """How far a run is.

    Args:
        about: Of the run.
        rows: Its readings.

    Returns:
        step (the last that was read), steps (planned, or None), seconds (since it began, or None).
    """
    step = max((row["step"] for row in rows), default=0)
    known = [row["seconds"] for row in rows[-1:] if row.get("seconds") is not None]
    outcome = about.get("outcome") or {}
    steps = about.get("steps") if isinstance(about.get("steps"), int) else None
    return {"step": step, "steps": steps, "seconds": known[0] if known else outcome.get("seconds")}


def latest(rows: Sequence[Plain]) -> list[dict[str, Any]]:
    """The last value of every reading.

    Args:
        rows: Readings in the order of steps.

    Returns:
        One a reading, in the order of families and names: name, meaning, known (whether the catalog explains it), step, value (of
        several networks the range), interval, unit, reason (where there is no number).
    """
    catalog = units()
    found: dict[str, list[Plain]] = {}
    for row in rows:
        found.setdefault(row["name"], []).append(row)
    table = []
    for name, own in found.items():
        last = [row for row in own if row["step"] == own[-1]["step"]]
        unit = catalog.get(name)
        table.append({
            "name": name,
            "family": str(last[0].get("family") or ""),
            "known": unit is not None,
            "meaning": cleaned(unit.summary) if unit else MEANINGS.get(name, ""),
            "step": last[0]["step"],
            "value": span([row["value"] for row in last]),
            "interval": _interval(last[0]) if len(last) == 1 else "",
            "unit": last[0].get("unit") or "",
            "reason": next((row["reason"] for row in last if row.get("reason")), "") or "",
        })
    return sorted(table, key=lambda row: (row["known"], row["family"], row["name"]))


def _interval(row: Plain) -> str:
    return interval({key: row.get(key) for key in ("low", "high", "standard_error")})


def _facts(about: Plain) -> list[tuple[str, str]]:
    """What was said at the beginning and is neither shown above nor of no interest to a person."""
    shown = {
        "kind", "name", "parameters", "train", "validation", "steps", "started", "finished", "outcome", "last", "rows", "notes",
        "network",
    }  # fmt: skip
    outcome = {key: value for key, value in (about.get("outcome") or {}).items() if key not in ("advice", "phases")}
    facts = {key: value for key, value in about.items() if key not in shown}
    return [(key.replace("_", " "), value) for key, value in _flat({**facts, "outcome": outcome}) if value]


def _flat(facts: Plain, before: str = "") -> list[tuple[str, str]]:
    """Facts within facts as lines of their own."""
    lines: list[tuple[str, str]] = []
    for key, value in facts.items():
        name = f"{before}{key}"
        if isinstance(value, Mapping):
            lines += _flat(value, f"{name}, ")
        elif isinstance(value, (list, tuple)):
            lines.append((name, ", ".join(_word(each) for each in value)))
        elif value is not None:
            lines.append((name, _word(value)))
    return lines


def _word(value: Any) -> str:
    return number(value) if isinstance(value, float) else str(value)


def _advice(advice: Plain | None) -> dict[str, Any] | None:
    """Its sentences first, whatever else it says after them."""
    if not advice:
        return None
    said = advice.get("sentences") or advice.get("sentence") or []
    rest = {key: value for key, value in advice.items() if key not in ("sentences", "sentence")}
    return {
        "sentences": [said] if isinstance(said, str) else list(said),
        "facts": [
            (key.replace("_", " "), value) for key, value in rest.items() if isinstance(value, (str, int, float))
        ],
    }
