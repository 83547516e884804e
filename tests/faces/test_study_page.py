"""The page of a study, in words and in a real headless Chromium."""

from pathlib import Path

import pytest
from tests.faces.test_report_browser import browser, opened

import heldout
from heldout.faces.report import render_study, write_study_report

__all__ = ["browser"]


@pytest.fixture(scope="module")
def record() -> dict[str, object]:
    found: dict[str, object] = heldout.study("double-descent-least-squares", repetitions=60).to_dict()
    return found


def test_claims_verdicts_values_and_settings_are_told(record: dict[str, object]) -> None:
    page = render_study(record)
    for claim in record["claims"]:  # type: ignore[attr-defined]
        assert claim["claim"] in page
        assert claim["source"] in page
        assert f">{claim['verdict']}<" in page
    assert "repetitions" in page
    assert "<script>alert" not in render_study({**record, "question": "<script>alert(1)</script>"})


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_it_is_drawn_and_asks_nobody(
    browser: object, tmp_path: Path, record: dict[str, object], width: int, scheme: str
) -> None:
    path = tmp_path / "study.html"
    write_study_report(record, str(path))
    page, complaints, requests = opened(browser, path, width, 900, scheme)  # type: ignore[arg-type]
    assert complaints == []
    assert requests == [path.as_uri()]
    assert page.locator(".view svg path").count() > 3
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.close()
