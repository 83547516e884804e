"""``heldout predict``: what it prints, the record it writes, when it abstains, what it refuses."""

import json
from pathlib import Path

import numpy as np
import pandas
import pytest
from tests.faces.cli import world

from heldout.engine.store import Store, read_result, result_names
from heldout.faces.cli import main

WORDS = ["predict", "--network", "world_models:mlp", "--weights", "w.safetensors", "--train", "train.npz"]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    world.build(tmp_path)
    draws = np.random.default_rng(0)
    loss = draws.uniform(0, 2, 60)
    held = {
        "hp.rate": np.arange(60) // 3, "seed": np.arange(60) % 3, "measure.params": 32, "measure.train-loss": loss,
        "gap": 0.1 * loss, "accuracy": 0.9 - 0.1 * loss,
    }  # fmt: skip
    pandas.DataFrame(held).to_csv(tmp_path / "own.csv", index=False)
    return tmp_path


def test_a_network_of_one_s_own_sweep_gets_numbers_with_intervals(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*WORDS, "--ledger", "own.csv"]) == 0
    said = capsys.readouterr().out
    assert "90 % interval" in said
    assert "Calibrated on 60 of own.csv networks, 2 readings." in said


def test_the_record_is_the_same_on_a_stream_and_in_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    words = [*WORDS, "--ledger", "own.csv", "--level", "0.8", "--seed", "3"]
    assert main([*words, "--json", "-"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert (record["schema"], record["level"], record["seed"]) == (1, 0.8, 3)
    assert record["calibrated_on"] == {"own.csv": 60}
    assert set(record["measures"]) == {"params", "train-loss"}
    assert [(row["member"], row["target"], row["status"]) for row in record["rows"]] == [
        (0, "accuracy", "ok"), (0, "gap", "ok"),
    ]  # fmt: skip
    for row in record["rows"]:
        assert row["low"] <= row["value"] <= row["high"]
    assert main([*words, "--json", "out/found.json", "--quiet"]) == 0
    assert capsys.readouterr().out == ""
    assert json.loads(Path("out/found.json").read_text()) == record
    assert main([*words, "--store", "kept"]) == 0
    (run,) = result_names(Store("kept"))
    assert run in capsys.readouterr().out
    assert read_result(Store("kept"), "prediction", run) == record


def test_a_network_unlike_the_known_ones_gets_a_reason(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(WORDS) == 0
    said = capsys.readouterr().out
    assert "abstained" in said
    assert "abstains: 32 parameters, where the known networks have" in said
    assert "Calibrated" not in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["predict"], "--network was not given"),
        ([*WORDS, "--level", "1"], "level was 1.0"),
        ([*WORDS, "--level", "high"], "--level"),
        ([*WORDS, "--seed", "-1"], "seed"),
        ([*WORDS, "--ledger", "nowhere.csv"], "nowhere.csv"),
        ([*WORDS, "--ledger", "short.csv"], "no column accuracy"),
        ([*WORDS, "--json", "nowhere/found.json"], "nowhere"),
        (WORDS[:-2], "--train"),
    ],
)
def test_refusals_have_one_sentence_and_exit_code_two(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("short.csv").write_text("hp.a,measure.params,gap\n1,32,0.1\n")
    assert main(words) == 2
    found = capsys.readouterr()
    assert said in found.err
    assert "Traceback" not in found.err
    assert found.out == ""
