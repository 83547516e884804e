"""The pages in a headless Chromium, before the server as it is started by hand: they move, are found, chosen, turned dark, read on a
phone and by keyboard, and ask nobody but that server."""

import subprocess
import sys
from pathlib import Path

import pytest
from tests.faces.web.visiting import Visitor, server, tab, until, visitor

from heldout.engine.store import Store
from heldout.engine.store.trajectories import read_trajectory
from heldout.faces.numbers import number

__all__ = ["server", "tab", "visitor"]
pytestmark = pytest.mark.xdist_group("browser")
NAME = "a <b>training</b>"


def test_a_run_is_found_as_one_types_and_the_address_says_so(visitor: Visitor) -> None:
    page = visitor.opens("/")
    rows = page.locator("#results tbody tr")
    assert rows.count() == 3
    assert "<img src=x onerror=alert(1)>" in page.locator("#results").inner_text()
    page.keyboard.press("/")
    page.keyboard.type("secon")
    until(lambda: rows.count() == 1, page)
    until(lambda: page.url.endswith(("/?q=secon&sort=-run", "/?q=secon")), page)
    page.reload()
    assert page.locator("#search").input_value() == "secon"
    page.locator("#search").fill("nothing is so")
    until(lambda: "No run is so" in page.locator("#results").inner_text(), page)
    page.locator("#search").fill("")
    until(lambda: rows.count() == 3, page)
    page.locator(".more summary").click()
    page.locator("[name=reading]").first.fill("param-norm")
    page.locator("[name=low]").first.fill("1e9")
    until(lambda: rows.count() == 0, page)
    page.locator("[name=low]").first.fill("0")
    until(lambda: rows.count() == 3 and page.locator("#results th", has_text="param-norm").count() == 1, page)
    until(lambda: "reading=param-norm&low=0&high=" in page.url, page)


def test_rows_are_walked_chosen_compared_and_opened_by_keyboard(visitor: Visitor) -> None:
    page = visitor.opens("/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.keyboard.press("/")
    for key in ("ArrowDown", "c", "ArrowDown", "c"):
        page.keyboard.press(key)
    until(lambda: page.url.count("compare=") == 2, page)
    assert page.locator("#compare").inner_text() == "Compare 2"
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    assert page.evaluate("document.activeElement.id") == "search"
    page.locator("#compare").press("Enter")
    page.wait_for_url("**/compare?runs=*")
    assert page.locator("h1").inner_text() == "2 runs beside each other"
    first = page.locator("tbody tr td").first
    before = first.inner_text()
    page.locator("th button", has_text="reading").press("Enter")
    page.locator("th button", has_text="reading").press("Enter")
    assert page.locator("th[aria-sort=descending]").count() == 1
    assert first.inner_text() > before
    visitor.opens("/")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url("**/audits/*")


def test_an_audit_is_drawn_without_eval_and_every_figure_can_be_taken_away(visitor: Visitor) -> None:
    page = visitor.opens("/")
    page.locator("a.row", has_text="first").click()
    page.wait_for_selector("html[data-drawn=yes]", state="attached")
    assert page.locator(".view svg").count() >= 4
    menu = page.locator("[data-figure=spectra] select")
    before = page.locator("[data-figure=spectra] svg").inner_html()
    menu.select_option(index=menu.locator("option").count() - 1)
    until(lambda: page.locator("[data-figure=spectra] svg").inner_html() != before, page)
    for ending, beginning in (("svg", b"<svg"), ("png", b"\x89PNG")):
        answer = page.request.get(
            visitor.server.url + str(page.locator(f"[href$='/gap.{ending}']").get_attribute("href"))
        )
        assert answer.body().startswith(beginning)


def test_the_theme_stays_chosen(visitor: Visitor) -> None:
    paper = "getComputedStyle(document.documentElement).backgroundColor"
    page = visitor.opens("/catalog")
    light = page.evaluate(paper)
    page.locator(".themes [value=dark]").check(force=True)
    dark = page.evaluate(paper)
    assert dark != light
    visitor.opens("/")
    assert page.evaluate(paper) == dark
    page.locator(".themes [value=auto]").check(force=True)
    assert page.evaluate(paper) == light


def test_no_page_is_wider_than_a_phone(visitor: Visitor) -> None:
    runs = [row["run"] for row in Store(str(visitor.server.store)).runs()]
    places = [
        "/",
        "/readings",
        "/catalog",
        "/catalog/path-norm",
        f"/audits/{runs[0]}",
        f"/compare?runs={','.join(runs)}",
    ]
    for place in places:
        page = visitor.opens(place, width=360)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, place


def test_the_catalog_is_searched_where_it_stands(visitor: Visitor) -> None:
    page = visitor.opens("/catalog?kind=measure")
    shown = page.locator("#results tbody tr:visible")
    measures = shown.count()
    page.locator("#search").fill("path-norm")
    assert 0 < shown.count() < measures
    until(lambda: page.url.endswith("/catalog?q=path-norm&kind=measure"), page)


def test_numbers_are_written_as_the_server_writes_them(visitor: Visitor) -> None:
    page = visitor.opens("/")
    values = [
        0.0,
        0.5,
        1 / 3,
        123.456,
        9999.0,
        9999.9,
        12345.0,
        -0.00012345,
        1e-5,
        1.2e-12,
        6.02e23,
        100.0,
        0.1 + 0.2,
        99995.0,
    ]
    address = str(page.locator("script[type=module]").first.get_attribute("src")).replace("tables.js", "numbers.js")
    written = page.evaluate("async ([at, values]) => values.map((await import(at)).number)", [address, values])
    assert written == [number(value) for value in values]


def test_a_training_moves_and_nothing_is_missed_when_the_server_dies(visitor: Visitor, tmp_path: Path) -> None:
    stop, store = tmp_path / "stop", Store(str(visitor.server.store))
    script = [sys.executable, str(Path(__file__).parent / "trainer.py"), str(visitor.server.store), str(stop), NAME]
    trainer = subprocess.Popen(script, stdout=subprocess.PIPE, text=True)
    assert trainer.stdout is not None
    try:
        run = trainer.stdout.readline().strip()
        page = visitor.page
        until(lambda: (visitor.server.store / "trajectories" / run / "000000000000.parquet").exists(), page)
        page = visitor.opens(f"/trainings/{run}")
        assert page.locator("h1").inner_text() == NAME
        state, step = page.locator("#connection"), lambda: int(page.locator("#step").inner_text().replace(",", ""))
        until(lambda: state.inner_text() == "live", page)
        marks = page.locator("[data-figure=losses] .mark-symbol.role-mark path")
        before, seen = step(), marks.count()
        until(lambda: step() > before and marks.count() > seen, page)
        until(lambda: page.locator("[data-figure=param-norm] svg").count() == 1, page)  # of a reading that came later
        visitor.has_nothing_to_say()
        visitor.server.kill()
        until(lambda: state.inner_text() == "reconnecting", page)
        before = step()
        page.wait_for_timeout(300)
        visitor.server.start()
        until(lambda: state.inner_text() == "live" and step() > before, page)
        stop.touch()
        until(lambda: state.inner_text() == "ended", page)
        kept = read_trajectory(store, run)
        losses = int(kept["name"].isin(["train-loss", "validation-loss"]).sum())
        until(lambda: marks.count() == losses, page)
        assert step() == int(kept["step"].max())
        # of a server that was away a browser says so, and nothing else
        assert [said for said in visitor.complaints if "net::ERR_" not in said] == []
        visitor.complaints.clear()
    finally:
        stop.touch()
        trainer.wait(10)
        trainer.stdout.close()
