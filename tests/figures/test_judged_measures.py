"""Measures beside each other: one row each in the order given, the chance bar, the rule of the ceiling, one colour a verdict."""

from typing import Any

from tests.figures.test_figures import fields_of, rows_of

from heldout.faces.report.judgement import ORDER
from heldout.figures.judged_measures import WORDS, judged_measures


def row(
    name: str, value: float | None, words: str = "underpowered", kind: str = "measure", ceiling: float | None = 0.9
) -> dict[str, Any]:
    return {"measure": name, "verdict": words, "kind": kind, "value": value, "low": 0.1, "high": 0.4, "chance_low": -0.1,
            "chance_high": 0.1, "ceiling": ceiling, "reason": "not drawn"}  # fmt: skip


def test_rows_rule_and_order() -> None:
    given = [
        row("b", 0.3),
        row("a", 0.2, "points the wrong way"),
        row("none", None),
        row("random", 0.0, kind="control"),
    ]
    chart = judged_measures(given).to_dict()
    assert list(dict.fromkeys(r["measure"] for r in rows_of(chart) if "measure" in r)) == ["b", "a", "random"]
    assert {r["ceiling"] for r in rows_of(chart) if "measure" not in r} == {0.9}
    assert fields_of(chart) >= {"value", "low", "chance_low", "verdict", "ceiling"}
    marks = chart["layer"][-1]["encoding"]
    assert marks["y"]["sort"] == ["b", "a", "random"]
    assert marks["color"]["scale"]["domain"] == list(WORDS)
    assert marks["color"]["legend"]["values"] == ["points the wrong way", "underpowered"]
    assert set(WORDS) == set(ORDER)


def test_no_rule_where_nobody_knows_the_ceiling() -> None:
    assert len(judged_measures([row("a", 0.2, ceiling=None)]).to_dict()["layer"]) == 3


def test_what_says_nothing_is_grey_and_the_rule_is_that_of_the_whole_table() -> None:
    chart = judged_measures([row("few", 0.2, ceiling=0.8), row("random", 0.0, kind="control")]).to_dict()
    assert [r["ceiling"] for r in rows_of(chart) if "measure" not in r] == [0.9]
    colours = chart["layer"][-1]["encoding"]["color"]["scale"]
    assert dict(zip(colours["domain"], colours["range"], strict=True))["nothing beyond chance"] == "gray"
    assert len(set(colours["range"])) == len(WORDS)
