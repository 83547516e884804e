"""``heldout certify`` as a person types it."""

import json
from pathlib import Path

import pytest
from tests.faces.cli import world
from tests.faces.cli.test_study import heldout

from heldout.faces.cli import main


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    world.build(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


WORDS = [
    "certify",
    "--network",
    "world_models:mlp",
    "--weights",
    "w.safetensors",
    "--train",
    "train.npz",
    "--heldout",
    "test.npz",
]


def test_a_network_is_certified_in_a_real_process(folder: Path) -> None:
    done = heldout(folder, *WORDS, "--families", "held-out", "--json", "c.json", "--report", "c.html", "--delta", "0.1")
    assert done.returncode == 0, done.stderr
    record = json.loads((folder / "c.json").read_text())
    assert record["delta"] == 0.1
    assert record["best"]["name"] == "clopper-pearson"
    assert f"at most {record['best']['value']:.4g}" in done.stdout
    assert "clopper-pearson" in (folder / "c.html").read_text()


def test_a_part_of_a_pool(folder: Path) -> None:
    assert main([*WORDS, "--families", "held-out", "--pool", "20", "--json", "c.json", "--quiet"]) == 0
    record = json.loads((folder / "c.json").read_text())
    assert "without-replacement" in {row["name"] for row in record["certificates"]}


def test_the_example_needs_nothing(folder: Path) -> None:
    assert main(["certify", "--families", "held-out", "--json", "e.json", "--quiet"]) == 0
    record = json.loads((folder / "e.json").read_text())
    assert record["subject"]["test_examples"] == 797
    assert record["best"]["value"] < 0.1


def test_a_printed_bound_is_computed_again(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    claim = ["certify", "--recheck", "0.108", "--observed", "0.028", "--examples", "55000", "--nats", "5144"]
    assert main([*claim, "--draws", "200", "--json", "-"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["verdict"] == "too small"
    assert found["gibbs_risk"] > 0.028
    assert main(["certify", "--recheck", "0.12", "--observed", "0.02", "--examples", "1000", "--bits", "80"]) == 0
    assert capsys.readouterr().out.startswith("holds: a code of 80 bits on 1,000 examples gives 0.1")


def test_how_many_and_simulate(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["certify", "--how-many", "--target", "0.05", "--observed", "0", "--json", "-"]) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert rows[0]["answer"] == 59
    assert main(["certify", "--how-many"]) == 0
    assert "Clopper & Pearson" in capsys.readouterr().out
    assert main(["certify", "--simulate", "held-out", "--problems", "50", "--json", "s.json"]) == 0
    assert "violations" in capsys.readouterr().out
    assert {row["verdict"] for row in json.loads((folder / "s.json").read_text())["simulations"]} == {"holds"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["certify", "--families", "held"], "held-out"),
        (["certify", "--corpus", "none.txt"], "--corpus 'none.txt' cannot be read"),
        (["certify", "--corpus", "a.txt", "--example", "digits"], "one of the three"),
        (["certify", "--recheck", "1.3"], "claimed was 1.3"),
        (["certify", "--example", "digit"], "one of digits, one-dimensional-digits, random-labels"),
        (["certify", "--how-many", "--target", "2"], "--target was '2'"),
        (["certify", "--how-many", "--target", "0.01"], "target"),
        (["certify", "--simulate", "nothing"], "held-out"),
        (["certify", "--delta", "0"], "--delta was '0'"),
        (["certify", "--train", "train.npz"], "without --network"),
        ([*WORDS[:-1], "gone.npz"], "gone.npz"),
        ([*WORDS, "--pool", "3"], "pool was 3"),
        (["certify", "--pool", "900"], "--pool was given without --network"),
        ([*WORDS, "--report", "gone/c.html"], "--report"),
    ],
)
def test_bad_words_end_in_a_sentence(
    folder: Path, words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    err = capsys.readouterr().err
    assert said in err
    assert "Traceback" not in err


def test_a_kept_result_is_listed_and_shown_again(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*WORDS, "--families", "held-out", "--store", "kept", "--json", "c.json", "--quiet"]) == 0
    (best,) = json.loads((folder / "c.json").read_text())["bests"]
    assert not (folder / "heldout-certificates.html").exists()
    assert main(["runs", "kept", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert row["kind"] == "certification"
    assert row["headline"] == f"0-1 error of this network: at most {best['value']:.4g}, by {best['name']}."
    assert main(["show", row["run"][-6:], "--store", "kept", "--report", "again.html"]) == 0
    assert "clopper-pearson" in capsys.readouterr().out
    assert "clopper-pearson" in (folder / "again.html").read_text()
