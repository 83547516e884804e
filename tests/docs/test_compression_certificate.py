"""The compression certificate of the documentation, at a small size: its numbers by scipy, its table, its baseline."""

import importlib.util
import math
import sys
from pathlib import Path
from types import ModuleType

import pytest
from scipy import stats

SCRIPT = Path(__file__).parents[2] / "docs" / "compression_certificate.py"


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    spec = importlib.util.spec_from_file_location("compression_certificate", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "compression_certificate", module)  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def test_a_learnt_start_beats_hoeffding_from_the_same_message_and_stands_beside_its_baseline(
    script: ModuleType,
) -> None:
    question = script.Question("half", False, 0.5, ((4, (2,)), (10, (3,))))
    rows = script.judged(question, examples=600, steps=60, seed=0)
    assert [(row["dimension"], row["levels"], row["examples"]) for row in rows] == [(4, 2, 300), (10, 3, 300)]
    for row in rows:
        level = math.log(0.05) - row["bits"] * math.log(2)
        assert stats.binom.logcdf(row["errors"], 300, row["bound"]) == pytest.approx(level, rel=1e-6)
        assert row["hoeffding"] == pytest.approx(row["errors"] / 300 + math.sqrt(-level / 600), abs=1e-9)
        assert row["ratio"] == pytest.approx(row["hoeffding"] / row["bound"])
        assert 0 < row["baseline"] < row["bound"]  # the start itself, on the same examples, is certified for less
    assert max(row["ratio"] for row in rows) > 1.3


def test_the_table_takes_the_smallest_bound_of_each_question(
    script: ModuleType, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(script, "QUESTIONS", (script.Question("two", True, 0.0, ((12, (3,)), (20, (2,)))),))
    script.main(examples=300, steps=80, seed=1)
    head, rule, line = capsys.readouterr().out.strip().splitlines()
    assert head.count("|") == rule.count("|") == line.count("|")
    rows = script.judged(script.QUESTIONS[0], examples=300, steps=80, seed=1)
    best = min(rows, key=lambda row: row["bound"])
    assert f"| {best['bits']} | {best['errors']} of 300 | {best['bound']:.3f} |" in line
    assert f"| {min(row['hoeffding'] for row in rows):.3f} | - |" in line


def test_each_digit_against_the_others_with_what_no_would_err(
    script: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = script.each_against_others(examples=200, steps=40, seed=0, tried=((6, (2,)), (8, (3,))))
    assert [row["digit"] for row in rows] == list(range(10))
    assert sum(row["no"] for row in rows) == pytest.approx(1)
    for row in rows:
        level = math.log(0.05) - row["bits"] * math.log(2)
        assert stats.binom.logcdf(row["errors"], 200, row["bound"]) == pytest.approx(level, rel=1e-6)
        assert row["hoeffding"] == pytest.approx(row["errors"] / 200 + math.sqrt(-level / 400), abs=1e-9)
        assert row["own"] <= row["hoeffding"]
    script.print_each(examples=200, steps=20, seed=0, tried=((6, (2,)),))
    table = capsys.readouterr().out.strip().splitlines()
    assert len([line for line in table if line.startswith("|")]) == 12
    assert table[-1].startswith("median ratio ")
