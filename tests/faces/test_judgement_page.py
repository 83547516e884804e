"""The page and the terminal of a judgement, in words and in a real headless Chromium."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pytest
from tests.criteria.ledgers import grid
from tests.faces.test_report_browser import browser, opened

import heldout
from heldout.faces.cli.judging import show_judgement
from heldout.faces.report import render_judgement, write_judgement_report
from heldout.faces.report.judgement import ORDER, columns_of, ordered, sentences
from heldout.verbs.standing import WORDS

__all__ = ["browser"]


@pytest.fixture(scope="module")
def record() -> dict[str, Any]:
    design, draws = grid((3, 2, 2), 3), np.random.default_rng(0)
    gap = 0.2 + design.codes @ np.array([0.05, -0.03, 0.0]) + 0.01 * draws.normal(size=design.networks)
    table = pandas.DataFrame({
        "hp.depth": design.codes[:, 0], "hp.width": design.codes[:, 1], "hp.rate": design.codes[:, 2],
        "measure.signal": gap, "measure.path-norm": -gap, "measure.<noise>": draws.normal(size=len(gap)),
        "measure.paradox": 9.0 * design.codes[:, 0] - 50 * (gap - 0.05 * design.codes[:, 0]), "measure.empty": np.nan,
        "gap": gap, "test_size": 2000,
    })  # fmt: skip
    found = heldout.judge(table, criteria=["kendall", "granulated-kendall", "sign-error"], claims=True)
    return found.to_dict()


def test_words_and_their_order_are_those_of_the_verdicts(record: dict[str, Any]) -> None:
    assert set(ORDER) == set(WORDS)
    rows = ordered(record)
    kinds = [row["kind"] == "control" for row in rows]
    assert kinds == sorted(kinds)
    own = [row for row in rows if row["kind"] != "control"]
    assert own[0]["words"] == "predicts beyond the design"
    assert [ORDER.index(row["words"]) for row in own] == sorted(ORDER.index(row["words"]) for row in own)
    assert columns_of(record)[:2] == ["kendall", "granulated-kendall"]
    headline, power = sentences(record)
    assert headline.startswith("Of 4 measures, ")
    assert "1 points the wrong way" in headline
    assert "four times in five" in power
    assert f"a tau of {record['ceiling']:.2f}" in power
    blind = {**record, "verdicts": [{**verdict, "smallest": None} for verdict in record["verdicts"]], "ceiling": None}
    assert "too small to find any tau" in sentences(blind)[1]
    assert "not known" in sentences(blind)[1]
    assert "none" in render_judgement(blind)


def test_the_page_tells_everything(record: dict[str, Any]) -> None:
    page = render_judgement(record)
    assert "&lt;noise&gt;" in page
    assert "<noise>" not in page.replace(">&lt;noise&gt;", "")
    for verdict in record["verdicts"]:
        assert verdict["words"] in page
    for claim in record["claims"]:
        assert claim["claim"].replace("'", "&#39;") in page
    for words in (
        "Simpson",
        "no network of the ledger has a value",
        "Smaller is better.",
        "baselines that every measure should beat",
    ):
        assert words in page
    assert "of the other sign at every value of depth" in page


def test_the_terminal_tells_it_too(record: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    show_judgement(record, by_axis=True)
    said = " ".join(capsys.readouterr().out.split())  # lines are broken where the terminal ends
    for words in (sentences(record)[0], "granulated Kendall, hyper-parameter by hyper-parameter", "the exact target", "<noise>",
                  "paradox: pooled tau", "empty could not be judged", "note: no column", record["claims"][0]["claim"]):  # fmt: skip
        assert words in said
    show_judgement({**record, "claims": []})
    assert "hyper-parameter by hyper-parameter" not in capsys.readouterr().out


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_it_is_drawn_and_asks_nobody(
    browser: Any, tmp_path: Path, record: dict[str, Any], width: int, scheme: str
) -> None:
    path = tmp_path / "judge.html"
    write_judgement_report(record, str(path))
    page, complaints, requests = opened(browser, path, width, 900, scheme)
    assert complaints == []
    assert requests == [path.as_uri()]
    assert page.locator(".view svg").count() == 2
    assert page.locator("[data-figure='judged-axes'] svg .mark-rect path").count() >= 3 * len(record["verdicts"])
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.close()
