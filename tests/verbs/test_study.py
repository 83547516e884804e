"""Studies as a verb: cells kept by address, changes named, one's own data, the record in plain values."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import heldout
from heldout.catalog import units
from heldout.catalog.studies import SIZES, cells
from heldout.records import Refusal
from heldout.verbs import study as verb

NAME = "double-descent-least-squares"
STUDIES = units("study")


def test_finished_cells_are_not_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = heldout.study(NAME, store=str(tmp_path), repetitions=50)
    made: list[Any] = []
    inner = verb.cell_table
    monkeypatch.setattr(verb, "cell_table", lambda *a: made.append(a) or inner(*a))
    second = heldout.study(NAME, store=str(tmp_path), repetitions=50)
    assert made == []
    pd.testing.assert_frame_equal(first.table, second.table)
    heldout.study(NAME, store=str(tmp_path), repetitions=50, seed=1)
    assert len(made) == 5


def test_the_record_is_plain_and_the_progress_is_told() -> None:
    told: list[tuple[str, int, int]] = []
    record = heldout.study(NAME, repetitions=30, progress=lambda *words: told.append(words))
    assert [number for _, number, _ in told] == list(range(5))
    assert "examples 25" in told[0][0]
    plain = json.loads(json.dumps(record.to_dict(), allow_nan=False))
    assert {"study", "size", "claims", "seconds", "figure", "settings"} <= set(plain)
    assert plain["size"] == "smoke, changed"
    assert record.to_pandas() is record.table


@pytest.mark.parametrize("name", STUDIES)
def test_every_study_says_what_it_needs(name: str) -> None:
    """Its question, three sizes whose grids fill every field that has no default, claims in sentences with words for each number."""
    unit = STUDIES[name]
    fields = unit.fields
    assert unit.summary.endswith("?")
    assert set(fields["sizes"]) == set(SIZES)
    empty = {key for key, value in unit.settings.items() if isinstance(value, type)} - {"seed"}
    known = set(unit.settings) - {"seed", "data", "network"}
    for grid in fields["sizes"].values():
        assert empty <= set(grid) <= known
        assert list(cells(grid))
    assert fields["claims"]
    for claim in fields["claims"]:
        assert claim.sentence.endswith(".")
        assert claim.source
        for statistic in (claim.statistic, claim.control):
            assert statistic is None or (statistic.__doc__ or "").strip().splitlines()[0].endswith("."), statistic
    assert fields["figure"] in units("figure")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"size": "big"}, "smoke, laptop, paper"),
        ({"noize": 0.1}, "did you mean 'noise'"),
        ({"examples": []}, "at least one"),
        ({"data": ((1, 2), (3, 4))}, "data was passed"),
        ({"network": object}, "network was passed"),
    ],
)
def test_bad_words_are_refused(words: dict[str, Any], said: str) -> None:
    with pytest.raises(Refusal, match=said):
        heldout.study(NAME, **words)
