"""Pages as strings: whole, safe, without anything inline, told without scripts, each with its data and figures to take away."""

import re
from html import unescape
from html.parser import HTMLParser
from typing import Any

import pytest
from tests.figures.records import grouped, single

from heldout.faces.web import pages
from heldout.faces.web.assets import asset, asset_names

ATTACK = "</script><img src=x onerror=alert(1)>"
RUN = "20260131T235959Z-0123456789ab"
RUNS = [
    {"run": RUN, "kind": "audit", "written": "2026-01-31T23:59:59+00:00", "subject": ATTACK, "members": 2, "headline": ATTACK,
     "note": ATTACK, "finished": True, "readings": {"gap": {"low": 0.1, "high": 0.3, "mean": 0.2}}},
    {"run": RUN.replace("a", "b"), "kind": "training", "written": "2026-01-31T23:59:59+00:00", "subject": "", "members": None,
     "headline": "", "note": "", "finished": False, "readings": {}},
]  # fmt: skip
FACETS = {
    "kinds": [{"name": "audit", "count": 1}],
    "subjects": [{"name": ATTACK, "count": 1}],
    "readings": [{"name": "gap", "count": 1}],
}
QUERY = {"q": ATTACK, "kind": "audit", "since": ATTACK, "sort": "-run", "page": "2", "reading": ["gap", ATTACK], "low": ["0", ""],
         "high": ["", ""], "compare": [RUN]}  # fmt: skip
VIEW = {"rows": RUNS, "total": 1234, "page": 2, "pages": 3, "query": QUERY, "facets": FACETS, "indexing": (3, 7)}
READING = {"run": RUN, "kind": "audit", "subject": ATTACK, "member": 0, "name": ATTACK, "family": "f", "value": 0.123456,
           "low": 0.1, "high": 0.2, "standard_error": None, "unit": "", "direction": "", "status": "failed",
           "reason": ATTACK}  # fmt: skip
ROWS = [
    {"step": step, "member": 0, "name": name, "family": "f", "value": value, "low": None, "high": None, "standard_error": None,
     "unit": "", "direction": "", "status": "ok", "reason": "", "seconds": 1.5 * step}
    for step in (0, 50, 100) for name, value in (("train-loss", 2.0 / (1 + step)), ("gap", 0.25), (ATTACK, 1.0))
]  # fmt: skip
PHASES = [
    {"name": "fitting", "begin": 0, "end": 50, "confidence": 0.99, "detected": 50, "why": ""},
    {"name": "overfitting", "begin": 50, "end": None, "confidence": 0.95, "detected": 100, "why": ATTACK},
]
ABOUT = {"name": ATTACK, "network": ATTACK, "parameters": 1200, "train": 60, "validation": 30, "steps": 200, "started": "",
         "budget": 0.05, "heldout": "1",
         "finished": False, "outcome": None, "last": "000000000100", "rows": 9, "notes": [ATTACK]}  # fmt: skip
COMPARED = {"runs": RUNS, "query": {}, "readings": [
    {"name": "gap", "family": "f", "unit": "", "direction": "",
     "values": [{"low": 0.1, "high": 0.3, "mean": 0.2}, None]}]}  # fmt: skip


def audit_with(attack: str) -> dict[str, Any]:
    return {**single(), "subject": {**single()["subject"], "name": attack}}


ALL = {
    "runs": lambda: pages.runs_page(VIEW),
    "compare": lambda: pages.compare_page(COMPARED),
    "readings": lambda: pages.readings_page({**VIEW, "rows": [READING]}),
    "training": lambda: pages.training_page(RUN, ABOUT, ROWS, PHASES, {"sentences": [ATTACK]}),
    "empty training": lambda: pages.training_page(RUN, {"finished": False}, [], [], None),
    "audit": lambda: pages.audit_page(RUN, audit_with(ATTACK)),
    "catalog": lambda: pages.catalog_page([
        {"name": "gap", "kind": "measure", "family": "f", "cost": "free", "source": ATTACK, "needs": [], "summary": ATTACK}]),
    "unit": lambda: pages.unit_page({"name": "gap", "kind": "measure", "summary": ATTACK, "about": ATTACK, "source": ATTACK}),
    "message": lambda: pages.message_page(ATTACK, ATTACK, [("/", ATTACK)]),
    "prediction": lambda: pages.prediction_page(RUN, {
        "level": 0.9, "statement": "", "calibrated_on": {}, "measures": [], "rows": [
            {"member": 0, "target": "gap", "value": None, "low": None, "high": None, "status": "failed", "reason": ATTACK}]}),
}  # fmt: skip


class Tags(HTMLParser):
    """Every tag with its attributes, and what stands in scripts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


@pytest.mark.parametrize("name", list(ALL))
def test_what_a_run_says_is_text_and_nothing_stands_inline(name: str) -> None:
    page = ALL[name]()
    assert "<img src=x" not in page
    assert page.rstrip().endswith("</html>")
    for tag, attributes in Tags(page).found:
        assert "style" not in attributes, tag
        assert not [key for key in attributes if key.startswith("on")], tag
        assert tag != "style"
        if tag == "script" and attributes.get("type") != "application/json":
            assert (attributes["src"] or "").startswith("/assets/")
        for key in ("href", "src", "action"):
            assert re.match(r"[/#]", attributes.get(key) or "/"), (tag, attributes)


@pytest.mark.parametrize("name", list(ALL))
def test_every_part_has_a_label_and_every_asset_is_there(name: str) -> None:
    tags = Tags(ALL[name]()).found
    assert [tag for tag, _ in tags].count("h1") == 1
    assert tags[0] == ("html", {"lang": "en"})
    for tag, attributes in tags:
        for key in ("href", "src"):
            if (attributes.get(key) or "").startswith("/assets/"):
                assert (attributes[key] or "").rpartition("/")[2] in asset_names()
        if tag == "input" and attributes.get("type") in ("search", "checkbox"):
            assert attributes.get("aria-label")
    identities = [attributes["id"] for _, attributes in tags if "id" in attributes]
    assert len(identities) == len(set(identities))


def test_a_list_keeps_its_query_in_sorting_paging_and_downloads() -> None:
    page = unescape(ALL["runs"]())
    kept = "q=%3C%2Fscript%3E%3Cimg+src%3Dx+onerror%3Dalert%281%29%3E&kind=audit"
    assert f'href="/?{kept}' in page
    assert f'href="/runs.csv?{kept}' in page
    for words in (
        "page=1",
        "page=3",
        "sort=run",
        "reading=gap",
        "1,234",
        "page 2 of 3",
        "among the 3 of 7",
        "0.1 to 0.3",
    ):
        assert words in page
    assert 'value="audit" checked' in page
    assert page.count(" checked>") == 2  # the kind, and the run that is chosen


def test_runs_beside_each_other_say_what_lies_between_them() -> None:
    both = [
        {
            **COMPARED["readings"][0],
            "values": [{"low": 1.0, "high": 1.0, "mean": 1.0}, {"low": 3.5, "high": 3.5, "mean": 3.5}],
        }
    ]
    page = pages.compare_page({**COMPARED, "readings": both})
    assert '<td class="n">2.5</td>' in page
    assert "no readings to compare" in pages.compare_page({**COMPARED, "readings": []})


def test_a_training_is_told_without_scripts() -> None:
    page = ALL["training"]()
    for words in ("Overfitting since step 50, 95 % sure.", "<b>fitting</b>", "0 to 50", "50 to now", "2 min 30 s", "of 200",
                  "1,200 parameters", "30 held out", f'"/figures/trainings/{RUN}/losses.svg"',
                  f'"/trainings/{RUN}.parquet"'):  # fmt: skip
        assert words in page
    ended = pages.training_page(RUN, {**ABOUT, "finished": True, "outcome": {"overhead": 0.031}}, ROWS, PHASES, None)
    assert "At its end: overfitting since step 50, 95 % sure." in ended
    assert "outcome, overhead" in ended
    assert "Nothing has been read yet." in ALL["empty training"]()


def test_a_record_has_the_content_of_its_report_and_every_figure_to_take_away() -> None:
    page = pages.audit_page(RUN, grouped())
    for words in (
        grouped()["verdict"]["headline"],
        f'href="/audits/{RUN}.csv"',
        f'href="/figures/audits/{RUN}/gap.png"',
        "Runs</a>",
    ):
        assert words in unescape(page)


def test_nothing_stored_and_nothing_found_say_so() -> None:
    nothing = {**VIEW, "rows": [], "total": 0, "pages": 0, "indexing": None}
    assert "No run is so." in pages.runs_page(nothing)
    assert "Nothing is stored here yet." in pages.runs_page({**nothing, "query": {}})
    assert "No reading is so." in pages.readings_page(nothing)


def test_assets_are_served_with_their_types_and_no_script_evaluates() -> None:
    for name in asset_names():
        content, kind = asset(name)
        assert kind.partition(";")[0] in ("text/css", "text/javascript", "image/svg+xml")
        if name != "vega.js":
            assert not re.search(rb"\beval\(|new Function|innerHTML\s*=|https?://(?!www\.w3\.org)", content), name
