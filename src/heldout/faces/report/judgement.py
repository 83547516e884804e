"""The page of ``heldout judge``: verdicts first, then figures, the table of measures by criteria, claims, and what was missing."""

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from heldout.catalog import units
from heldout.faces.numbers import shown
from heldout.faces.report.drawing import shared_data
from heldout.faces.report.rendering import PageMaker, page_of, write_page

Row = Mapping[str, Any]
#: The order in which a reader wants them.
ORDER = (
    "predicts beyond the design", "predicts, beyond the design or not is open", "predicts as the design does",
    "points the wrong way", "nothing beyond chance", "underpowered",
)  # fmt: skip
MEANS = {
    "predicts beyond the design": "it tells networks of one configuration apart, too",
    "predicts, beyond the design or not is open": "it orders the networks; whether it knows more than the design cannot be told",
    "predicts as the design does": "it orders the networks as the hyper-parameters do, and says nothing more",
    "points the wrong way": "more of it goes with less error, against its declared direction",
    "nothing beyond chance": "and a measure that predicts would have been found four times in five",
    "underpowered": "even the exact target would be missed more than once in five",
}
#: The criterion that everybody knows first, the others after it, those that are blind to the sign behind.
FIRST = (
    "kendall", "granulated-kendall", "partial-rank", "out-of-fold-increment", "sign-error", "conditional-mutual-information",
    "competition-score",
)  # fmt: skip
FOREST, AXES = "kendall", "granulated-kendall"


def ordered(record: Row) -> list[dict[str, Any]]:
    """Verdicts as they are shown: measures by what is said of them, the strongest first, and control rows last.

    Args:
        record: What ``Judgement.to_dict`` gave.

    Returns:
        Verdicts, each with its ``scores``: criterion -> score over all hyper-parameters.
    """
    scores: dict[str, dict[str, Row]] = {}
    for score in record["scores"]:
        if not score["axis"]:
            scores.setdefault(score["measure"], {})[score["criterion"]] = score
    places = {words: place for place, words in enumerate(ORDER)}
    return [
        {**verdict, "scores": scores.get(verdict["measure"], {})}
        for verdict in sorted(
            record["verdicts"],
            key=lambda verdict: (verdict["kind"] == "control", places[verdict["words"]], -abs(verdict["tau"])),
        )
    ]


def columns_of(record: Row) -> list[str]:
    """Criteria with their parts, the best known first.

    Args:
        record: What ``Judgement.to_dict`` gave.

    Returns:
        Their names.
    """
    names = dict.fromkeys(score["criterion"] for score in record["scores"])
    places = {name: place for place, name in enumerate(FIRST)}
    return sorted(names, key=lambda name: places.get(name.partition(",")[0], len(places)))


def sentences(record: Row) -> list[str]:
    """What a reader must know before the table.

    Args:
        record: What ``Judgement.to_dict`` gave.

    Returns:
        The headline, then power and ceiling.
    """
    own = [verdict for verdict in record["verdicts"] if verdict["kind"] != "control"]
    counts = {words: sum(verdict["words"] == words for verdict in own) for words in ORDER}
    said = ", ".join(f"{count} {_plural(words, count)}" for words, count in counts.items() if count)
    known = [verdict["smallest"] for verdict in own if verdict["smallest"] is not None]
    power = (
        f"finds a tau of {median(known):.2f} four times in five"
        if known
        else "is too small to find any tau four times in five"
    )
    best = record["ceiling"]
    reach = (
        "how far the exact target itself would reach is not known"
        if best is None
        else f"the exact {record['target']} itself would reach a tau of {best:.2f}"
    )
    return [
        f"Of {len(own)} measures, {said}.",
        f"This table {power}; {reach}.",
    ]


def _plural(words: str, count: int) -> str:
    if count == 1:
        return {"nothing beyond chance": "says nothing beyond chance", "underpowered": "is underpowered"}.get(
            words, words
        )
    many = {
        "predicts beyond the design": "predict beyond the design",
        "predicts, beyond the design or not is open": "predict, beyond the design or not is open",
        "predicts as the design does": "predict as the design does",
        "points the wrong way": "point the wrong way",
        "nothing beyond chance": "say nothing beyond chance",
        "underpowered": "are underpowered",
    }
    return many[words]


def axis_table(record: Row, criterion: str = AXES) -> tuple[list[str], list[dict[str, Any]]]:
    """A criterion hyper-parameter by hyper-parameter.

    Args:
        record: What ``Judgement.to_dict`` gave.
        criterion: One that can say.

    Returns:
        Hyper-parameters, and for each measure in order its score on each; empty where the criterion was not asked.
    """
    cells: dict[str, dict[str, Row]] = {}
    for score in record["scores"]:
        if score["axis"] and score["criterion"] == criterion:
            cells.setdefault(score["measure"], {})[score["axis"]] = score
    axes = [axis for axis in record["axes"] if any(axis in row for row in cells.values())]
    return axes, [
        {**verdict, "cells": cells[verdict["measure"]]} for verdict in ordered(record) if verdict["measure"] in cells
    ]


def cell(score: Row | None) -> str:
    """A score in few characters; a star where it lies outside of what chance gives.

    Args:
        score: Of the record; None where there is none.

    Returns:
        Such as ``"0.62*"``.

    Example:
        >>> cell({"value": 0.5, "chance_low": -0.1, "chance_high": 0.1}), cell(None)
        ('0.50*', '—')
    """
    if score is None or score["value"] is None:
        return "—"
    low, high = score["chance_low"], score["chance_high"]
    outside = low is not None and high is not None and not low <= score["value"] <= high
    return f"{score['value']:.2f}{'*' if outside else ''}"


def specifications(record: Row) -> dict[str, dict[str, Any]]:
    """Figures that have something to show.

    Args:
        record: What ``Judgement.to_dict`` gave.

    Returns:
        Name -> Vega-Lite, without colours of its own.
    """
    rows = [
        {**verdict["scores"][FOREST], "verdict": verdict["words"], "kind": verdict["kind"]}
        for verdict in ordered(record)
        if FOREST in verdict["scores"]
    ]
    _, table = axis_table(record)
    cells = [score for row in table for score in row["cells"].values()]
    drawn = {}
    for name, given in (("judged-measures", rows), ("judged-axes", cells)):
        if given:
            chart: dict[str, Any] = units("figure")[name].function(given).to_dict()
            chart.pop("config", None)
            drawn[name] = shared_data({**chart, "width": "container"})
    return drawn


def render_judgement(record: Row, page: PageMaker = page_of) -> str:
    """The whole page.

    Args:
        record: What ``Judgement.to_dict`` gave.
        page: What makes a page of a template and of what it shows.

    Returns:
        HTML; the report's needs nothing beside itself.
    """
    rows = ordered(record)
    groups: Sequence[tuple[str, list[dict[str, Any]]]] = [
        (words, [row for row in rows if row["words"] == words and row["kind"] != "control"]) for words in ORDER
    ]
    return page(
        "judgement.html.j2",
        record=record,
        rows=rows,
        groups=[(words, MEANS[words], own) for words, own in groups if own],
        columns=columns_of(record),
        sentences=sentences(record),
        specifications=specifications(record),
        figures=units("figure"),
        cell=cell,
        shown=shown,
    )


def write_judgement_report(record: Row, path: str) -> str:
    """Write the page, whole and then renamed.

    Args:
        record: What ``Judgement.to_dict`` gave.
        path: Where.

    Returns:
        The path.
    """
    return write_page(render_judgement(record), path)
