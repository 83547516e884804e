"""The page, the terminal and the notebook view of certificates, in words and in a real headless Chromium."""

import io
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from tests import cases
from tests.faces.test_report_browser import browser, opened

from heldout.faces.certificates_terminal import show_certificates
from heldout.faces.report import render_certificates, write_certificates_report
from heldout.verbs.certify import certify

__all__ = ["browser"]


@pytest.fixture(scope="module")
def record() -> dict[str, Any]:
    found = certify(cases.together([cases.mlp(seed=i) for i in range(2)]), families="held-out").to_dict()
    odd = {**found["certificates"][0], "name": "odd", "family": "occam", "value": 3e9, "status": "vacuous",
           "code_ledger": {"codebook": 64.0}, "terms": {"divergence": 12.5}, "reason": "too <long> a code"}  # fmt: skip
    return {**found, "certificates": [*found["certificates"], odd], "absent": {"other": "there is no <prior>"}}


def test_the_page_tells_everything(record: dict[str, Any]) -> None:
    page = render_certificates(record)
    for row in record["certificates"]:
        assert f"<b>{row['name']}</b>" in page
        assert row["source"].replace("&", "&amp;") in page
    for words in ("codebook", "64 bits", "12.5", "too &lt;long&gt; a code", "there is no &lt;prior&gt;", "vacuous",
                  record["best"]["ledger"][-1]["step"]):  # fmt: skip
        assert words in page
    assert "No certificate is valid" in render_certificates({**record, "bests": [], "certificates": []})


def test_the_terminal_tells_the_best_and_every_bound(record: dict[str, Any]) -> None:
    out = Console(file=io.StringIO(), width=200)
    show_certificates(record, out)
    text = out.file.getvalue()  # type: ignore[attr-defined]
    assert f"at most {record['best']['value']:.4g}" in text
    assert "there is no <prior>" in text
    for row in record["certificates"]:
        assert row["name"] in text
    out = Console(file=io.StringIO(), width=200)
    show_certificates({**record, "bests": []}, out)
    assert "No certificate is valid" in out.file.getvalue()  # type: ignore[attr-defined]


def test_the_best_of_every_loss_stands_there_and_an_empty_one_says_so(record: dict[str, Any]) -> None:
    empty = {
        **record["best"],
        "loss": "bits per token",
        "value": 8.95,
        "status": "vacuous",
        "reason": "guessing evenly has 8",
    }
    two = {**record, "best": None, "bests": [record["best"], empty]}
    out = Console(file=io.StringIO(), width=200)
    show_certificates(two, out)
    for text in (render_certificates(two).lower(), out.file.getvalue().lower()):  # type: ignore[attr-defined]
        assert "0-1 error of this network" in text
        assert "bits per token of this network" in text
        assert "says nothing: guessing evenly has 8" in text


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_it_is_drawn_and_asks_nobody(
    browser: object, tmp_path: Path, record: dict[str, Any], width: int, scheme: str
) -> None:
    path = tmp_path / "certificates.html"
    write_certificates_report(record, str(path))
    page, complaints, requests = opened(browser, path, width, 900, scheme)  # type: ignore[arg-type]
    assert complaints == []
    assert requests == [path.as_uri()]
    assert page.locator(".view svg path").count() > 3
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.close()
