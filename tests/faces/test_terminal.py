"""The terminal shows the record, on wide and on narrow screens, and interprets nothing that a user wrote."""

from io import StringIO

import pytest
from rich.console import Console
from tests.figures.records import ALL, grouped, refused, single

from heldout.faces.terminal import show


def printed(record: dict, width: int = 120) -> str:  # type: ignore[type-arg]
    console = Console(file=StringIO(), width=width, color_system=None)
    show(record, console)
    return console.file.getvalue()  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", list(ALL))
@pytest.mark.parametrize("width", [60, 120])
def test_verdict_and_every_reading_are_shown(name: str, width: int) -> None:
    record = ALL[name]()
    text = printed(record, width)
    flat = " ".join(text.split())
    assert record["verdict"]["headline"] in flat
    assert all(len(line) <= width for line in text.splitlines())
    if width == 120:
        assert all(row["name"] in flat for row in record["readings"])


def test_groups_come_before_test_numbers() -> None:
    text = printed(grouped())
    assert text.index("From the training data alone") < text.index(grouped()["verdict"]["headline"][:40])


def test_users_words_are_not_markup() -> None:
    record = {**single(), "subject": {**single()["subject"], "name": "[red]danger[/red]"}}
    assert "[red]danger[/red]" in printed(record)


def test_refusals_are_said() -> None:
    assert "refused" in printed(refused())
    assert "took part in choosing" in " ".join(printed(refused()).split())


def test_values_are_those_of_the_record() -> None:
    row = next(row for row in single()["readings"] if row["name"] == "param-norm")
    assert f"{row['value']:.4g}" in printed(single())
