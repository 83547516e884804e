"""The report in a real headless Chromium: drawn, silent, self-sufficient, at two widths, light and dark."""

import shutil
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright
from tests.figures.records import ALL

from heldout.faces.report import write_report

ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
DRAWN = "document.documentElement.dataset.drawn === 'yes'"
INK = "getComputedStyle(document.body).color"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    assert chromium, "Chromium is not installed; 'make test' installs it"
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield running
        running.close()


def opened(browser: Browser, path: Path, width: int, height: int, scheme: str) -> tuple[Page, list[str], list[str]]:
    page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)  # type: ignore[arg-type]
    complaints: list[str] = []
    requests: list[str] = []
    page.on(
        "console", lambda message: complaints.append(message.text) if message.type in ("error", "warning") else None
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: requests.append(request.url))
    page.goto(path.as_uri())
    page.wait_for_function(DRAWN, timeout=30_000)
    return page, complaints, requests


@pytest.mark.parametrize(("width", "height", "scheme"), [(1280, 900, "light"), (390, 844, "dark"), (360, 740, "light")])
@pytest.mark.parametrize("name", list(ALL))
def test_the_page_is_drawn_and_asks_nobody(
    browser: Browser, tmp_path: Path, name: str, width: int, height: int, scheme: str
) -> None:
    path = tmp_path / "report.html"
    write_report(ALL[name](), str(path))
    page, complaints, requests = opened(browser, path, width, height, scheme)
    assert complaints == []
    assert requests == [path.as_uri()]
    views = page.locator(".view")
    assert views.count() >= 4
    for index in range(views.count()):
        picture = views.nth(index).locator("svg").first
        box = picture.bounding_box()
        assert box is not None
        assert box["width"] > 100
        assert box["height"] > 100
        assert picture.locator("path").count() > 3
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.close()


def test_the_theme_can_be_switched_and_figures_follow(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    write_report(ALL["single"](), str(path))
    page, complaints, _ = opened(browser, path, 1000, 800, "light")
    label = "getComputedStyle(document.querySelector('.view svg text')).fill"
    before, ink = page.evaluate(INK), page.evaluate(label)
    page.locator("#theme").click()
    page.wait_for_function(DRAWN)
    assert page.evaluate(INK) != before
    assert page.evaluate(label) != ink
    page.locator("#theme").focus()
    page.keyboard.press("Enter")
    page.wait_for_function(DRAWN)
    assert page.evaluate(INK) == before
    assert complaints == []
    page.close()


def test_ledgers_open_and_menus_change_the_figure(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    write_report(ALL["single"](), str(path))
    page, complaints, _ = opened(browser, path, 1000, 800, "light")
    ledger = page.locator("#certificates details.card").first
    assert not ledger.locator("dl").is_visible()
    ledger.locator("summary").click()
    assert "delta ledger" in ledger.inner_text()
    chart = page.locator("[data-figure='spectra']")
    before = chart.locator("svg").first.inner_html()
    menu = chart.locator("select")
    menu.select_option(index=menu.locator("option").count() - 1)
    page.wait_for_function(
        "before => document.querySelector(\"[data-figure='spectra'] svg\").innerHTML !== before", arg=before
    )
    assert complaints == []
    page.close()


def test_a_switch_of_the_theme_leaves_the_menus_as_they_were(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    write_report(ALL["single"](), str(path))
    page, _, _ = opened(browser, path, 1000, 800, "light")
    menu = page.locator("[data-figure='spectra'] select")
    menu.select_option(index=menu.locator("option").count() - 1)
    chosen = menu.input_value()
    page.locator("#theme").click()
    assert page.locator("[data-figure='spectra'] select").input_value() == chosen
    page.close()


@pytest.mark.parametrize("theme", ["", "dark", "light"])
def test_it_prints_light_from_a_dark_screen_too(browser: Browser, tmp_path: Path, theme: str) -> None:
    path = tmp_path / "report.html"
    write_report(ALL["single"](), str(path))
    page, _, _ = opened(browser, path, 1000, 800, "dark")
    if theme:
        page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
    page.emulate_media(media="print")  # the screen stays dark
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgb(255, 255, 255)"
    assert page.evaluate(INK) == "rgb(0, 0, 0)"
    marks = "getComputedStyle(document.querySelector('[data-figure=margins] svg .mark-line path')).stroke"
    assert page.evaluate("getComputedStyle(document.querySelector('.view svg text')).fill") == "rgb(51, 50, 46)"
    assert page.evaluate(marks) == "rgb(0, 114, 178)"
    assert len(page.pdf()) > 20_000
    page.close()


def test_labels_of_the_contrasts_do_not_overlap(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    write_report(ALL["three groups"](), str(path))
    for width in (1280, 390):
        page, _, _ = opened(browser, path, width, 900, "light")
        labels = page.locator("[data-figure='group-contrasts'] .role-axis-label text")
        boxes = [labels.nth(index).bounding_box() for index in range(labels.count())]
        rows = sorted(box["y"] for box in boxes if box and box["x"] < width / 2 and box["width"] > 30)
        assert len(rows) > 10
        assert min(after - before for before, after in pairwise(rows)) > 12
        page.close()
