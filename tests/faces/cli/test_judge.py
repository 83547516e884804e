"""``heldout judge`` on a table: the words it prints, the record it writes, what it refuses."""

import json
from pathlib import Path

import numpy as np
import pandas
import pytest
from tests.verbs.test_population_ledger import QUICK, made

from heldout.faces.cli import main


@pytest.fixture
def table(tmp_path: Path) -> str:
    draws = np.random.default_rng(0)
    width = np.repeat(np.arange(4), 6)
    gap = 0.1 * width + 0.02 * draws.normal(size=24)
    held = {
        "hp.width": width,
        "seed": np.tile(range(6), 4),
        "measure.path-norm": gap + 0.01,
        "measure.mine": draws.normal(size=24),
    }
    pandas.DataFrame({**held, "gap": gap, "test_size": 1000}).to_csv(tmp_path / "ledger.csv", index=False)
    return str(tmp_path / "ledger.csv")


def test_a_table_is_judged(table: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out.json"
    assert (
        main(["judge", "--ledger", table, "--criterion", "kendall", "--criterion", "sign-error", "--json", str(out)])
        == 0
    )
    said = capsys.readouterr().out
    assert "path-norm" in said
    assert "predicts beyond the design" in said
    assert "would reach a tau of" in said
    record = json.loads(out.read_text())
    assert {score["criterion"] for score in record["scores"]} == {
        "kendall", "sign-error, mean", "sign-error, ninetieth-percentile", "sign-error, worst",
    }  # fmt: skip
    assert {verdict["measure"] for verdict in record["verdicts"]} >= {
        "path-norm",
        "mine",
        "random",
        "canonical ordering",
    }


def test_a_population_and_a_stranger_s_measure_in_one_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("heldout.verbs.judging_sources.chosen", lambda *_, **__: (QUICK, {}))
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.chdir(tmp_path)
    made(tmp_path / "runs")
    (tmp_path / "my_own.py").write_text("def spread(logits):\n    print('noise')\n    return logits.std()\n")
    words = [
        "judge",
        "--population",
        "runs",
        "--measure",
        "my_own:spread",
        "--criterion",
        "granulated-kendall",
        "--by-axis",
    ]
    assert main([*words, "--report", "judge.html"]) == 0
    said = capsys.readouterr().out
    for part in (
        "spread",
        "four times in five",
        "hyper-parameter by hyper-parameter",
        "ledger: ",
        "report: judge.html",
    ):
        assert part in said
    assert "spread" in (tmp_path / "judge.html").read_text()
    assert main([*words, "--json", "-"]) == 0
    assert "spread" in {verdict["measure"] for verdict in json.loads(capsys.readouterr().out)["verdicts"]}


@pytest.mark.parametrize(
    ("words", "said"),
    [(["judge"], "--ledger was not given and --population not given"), (["judge", "--ledger", "none.csv"], "check the path"),
     (["judge", "--ledger", "TABLE", "--target", "luck"], "--target was 'luck'"),
     (["judge", "--ledger", "TABLE", "--target", "loss"], "no column 'loss'"),
     (["judge", "--ledger", "TABLE", "--criterion", "luck"], "the criterion 'luck'"),
     (["judge", "--ledger", "TABLE", "--population", "runs"], "expected one of the two"),
     (["judge", "--ledger", "TABLE", "--measure", "math:sqrt", "--thorough"], "--measure, --thorough were given with --ledger"),
     (["judge", "--population", "TABLE"], "use --ledger"),
     (["judge", "--population", "nowhere"], "holds no sweep"),
     (["judge", "--ledger", "luck"], "or atlas")],
)  # fmt: skip
def test_refusals_have_one_sentence_and_exit_code_two(
    table: str, words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([table if word == "TABLE" else word for word in words]) == 2
    assert said in capsys.readouterr().err
