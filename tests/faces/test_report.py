"""The page: whole, safe, self-contained, in its order, and written all or nothing."""

import copy
import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from tests.figures.records import ALL, blind, grouped, many, refused, single, three_groups

from heldout.catalog import units
from heldout.faces.numbers import by_pair, number
from heldout.faces.report import fragment, render, write_report
from heldout.faces.report.drawing import figures, members_drawn, tables
from heldout.records import Refusal


def words(page: str) -> str:
    """The text that a reader without JavaScript sees."""
    body = re.sub(r"<(script|style)\b.*?</\1>", " ", page, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


@pytest.mark.parametrize("name", list(ALL))
def test_every_reading_is_told_without_javascript(name: str) -> None:
    text = words(render(ALL[name]()))
    assert all(row["name"] in text for row in ALL[name]()["readings"])
    assert ALL[name]()["verdict"]["headline"] in text
    assert len(render(ALL[name]()).encode()) < 2_000_000


def test_nothing_points_outside() -> None:
    page = render(single())
    markup = re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
    assert not re.search(r"""(src|href)=["'](?!data:)""", markup)
    assert "url(" not in markup
    assert "default-src 'none'" in markup


def test_groups_are_contrasted_before_any_test_number() -> None:
    text = words(render(grouped()))
    reveal = text.index("Then the test data")
    assert text.index("What tells them apart") < reveal < text.index(grouped()["verdict"]["headline"])
    for row in grouped()["readings"]:
        if row["name"] == "test-accuracy":
            assert f"{row['value']:.1%}" not in text[:reveal]


@pytest.mark.parametrize("place", ["name", "groups", "reason"])
def test_what_a_user_wrote_is_text_and_never_markup(place: str) -> None:
    record = copy.deepcopy(grouped())
    attack = "</script><img src=x onerror=alert(1)>"
    if place == "name":
        record["subject"]["name"] = attack
    elif place == "groups":
        record["subject"]["groups"] = [attack, attack, "b", "b"]
        for row in record["contrasts"]:
            row["first"] = attack
    else:
        record["readings"][0] |= {"status": "failed", "value": None, "reason": attack}
    page = render(record)
    assert "<img src=x" not in page
    # style, two scripts of ours, and nothing else can end a script
    assert page.count("</script>") == render(grouped()).count("</script>")
    if place != "groups":
        assert "&lt;/script&gt;&lt;img" in page


def test_every_ledger_and_refusal_is_there() -> None:
    text = words(render(single()))
    for certificate in single()["certificates"]:
        assert all(line["step"] in text for line in certificate["ledger"])
        assert certificate["data_ledger"]["bound"] in text
        assert certificate["baseline"]["verdict"] in text
    assert refused()["certificates"][0]["reason"] in words(render(refused()))


def test_what_has_no_number_says_why_and_what_to_do() -> None:
    text = words(render(blind()))
    assert "there is no test data" in text
    assert "Give what the reason names" in text


def test_the_meaning_source_and_cost_of_a_reading_are_there() -> None:
    text = words(render(single()))
    unit = units()["path-norm"]
    assert unit.summary in text
    assert unit.source in text
    assert "forward" in text


def test_an_unknown_reading_of_an_older_record_is_shown_too() -> None:
    record = copy.deepcopy(single())
    record["readings"][0]["name"] = "a-reading-of-another-version"
    assert "a-reading-of-another-version" in words(render(record))


def test_the_file_appears_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "report.html"
    assert write_report(single(), str(path)) == str(path)
    assert path.read_text().rstrip().endswith("</html>")
    before = path.read_bytes()

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(Refusal, match="No space left"):
        write_report(grouped(), str(path))
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["report.html"]


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="folder that exists"):
        write_report(single(), str(tmp_path / "none" / "report.html"))


def test_a_notebook_shows_verdict_and_values() -> None:
    html = fragment(single())
    assert "<script" not in html
    assert single()["verdict"]["headline"] in unescape(html)
    assert "param-norm" in html


@pytest.mark.parametrize(
    "path", ["", ".", "folder", "a\0b", "x" * 300 + ".html", "file/report.html", "none/report.html"]
)
def test_a_path_that_can_be_no_file_is_refused_in_a_sentence_and_nothing_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("kept", encoding="utf-8")
    with pytest.raises(Refusal, match="the report's path was"):
        write_report(ALL["single"](), path)
    assert sorted(entry.name for entry in tmp_path.rglob("*")) == ["file", "folder"]


def test_each_pair_of_groups_has_its_own_table() -> None:
    record = three_groups()
    page = render(record)
    for pair in by_pair(record["contrasts"]):
        heading = f'<th class="n">{pair["first"]}</th><th class="n">{pair["second"]}</th>'
        table = page.split(heading, 1)[1].split("</table>", 1)[0]
        for row in pair["rows"][:15]:
            assert f'<td>{row["name"]}</td><td class="n">{number(row["mean_first"])}</td>' in table


@pytest.mark.parametrize("members", [64, 512])
def test_a_page_of_many_networks_stays_under_two_megabytes(members: int) -> None:
    assert len(render(many(members)).encode()) < 2_000_000


def test_a_table_is_written_once_however_many_layers_draw_it() -> None:
    specification = figures(ALL["grouped"]())["noise-curves"]["specification"]
    rows = [rows for rows in specification["datasets"].values() if len(rows) > 1]
    assert len(rows) == 1
    layers = [layer["data"]["name"] for layer in specification["layer"]]
    assert set(layers) <= set(specification["datasets"])
    assert len(rows[0]) == len(tables(ALL["grouped"]())["noise_curve"])


def test_figures_draw_as_many_members_of_each_group() -> None:
    drawn = members_drawn({"members": 512, "groups": ["a"] * 500 + ["b"] * 12})
    assert len([m for m in drawn if m < 500]) == 24
    assert len([m for m in drawn if m >= 500]) == 12
