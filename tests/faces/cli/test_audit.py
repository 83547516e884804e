"""``heldout audit``, ``runs`` and ``show`` from end to end, as a user runs them."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.faces.cli import world

import heldout
from heldout.faces.cli import main

PROGRAM = shutil.which("heldout", path=str(Path(sys.executable).parent)) or "heldout"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    world.build(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", sys.path[:])
    monkeypatch.delitem(sys.modules, "world_models", raising=False)
    return tmp_path


def run(*words: str) -> "subprocess.CompletedProcess[str]":
    done = subprocess.run([PROGRAM, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done


def test_audit_then_runs_then_show(folder: Path) -> None:
    done = run(*world.command(folder, {}), "--seed", "3")
    record = json.loads((folder / "out" / "audit.json").read_text())
    assert record["heldout"] == heldout.__version__
    assert record["seed"] == 3
    assert record["subject"]["initial_weights"] is True
    assert {"verdict", "subject", "readings", "certificates", "passes", "seconds"} <= set(record)
    for words in (record["verdict"]["headline"].split(".")[0][:20], "path-norm", "out/report.html", "out/audit.json"):
        assert words in done.stdout
    assert (folder / "out" / "report.html").read_text().lstrip().lower().startswith("<!doctype html")

    values = {row["name"]: row["value"] for row in record["readings"]}
    weights, initial = world.state(0), world.state(1)
    assert values["params"] == sum(tensor.numel() for tensor in weights.values())
    x, y = torch.from_numpy(world.X), torch.from_numpy(world.Y)
    hidden = torch.relu(x @ weights["0.weight"].T + weights["0.bias"])
    right = ((hidden @ weights["2.weight"].T + weights["2.bias"]).argmax(1) == y).double().mean().item()
    assert values["train-accuracy"] == pytest.approx(right)
    distance = sum(((weights[name] - initial[name]).double() ** 2).sum().item() for name in ("0.weight", "2.weight"))
    assert values["fro-distance"] == pytest.approx(distance, rel=1e-5)

    (row,) = json.loads(run("runs", "out/store", "--json").stdout)
    assert row["headline"] == record["verdict"]["headline"]
    assert row["run"] in run("runs", "out/store").stdout
    assert f"run: {row['run']}" in done.stdout
    shown = run("show", row["run"][-6:], "--store", "out/store", "--report", "again.html", "--json", "again.json")
    assert "path-norm" in shown.stdout
    assert json.loads((folder / "again.json").read_text()) == record
    assert (folder / "again.html").read_text().lstrip().lower().startswith("<!doctype html")


def test_the_record_alone_goes_to_standard_output(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (folder / "world_models.py").write_text(
        world.MODELS.replace("def mlp", "print('hello from the module')\n\ndef mlp")
    )
    words = world.command(folder, {"--json": "-", "--report": None, "--store": None, "--only": ["params", "path-norm"]})
    assert main(words) == 0
    out, err = capfd.readouterr()
    record = json.loads(out)
    assert [row["name"] for row in record["readings"]] == ["params", "path-norm"]
    assert record["certificates"] == []
    assert err == "hello from the module\n"


def test_a_record_written_through_a_link_leaves_the_link(folder: Path) -> None:
    (folder / "real.json").write_text("old")
    (folder / "link.json").symlink_to(folder / "real.json")
    words = world.command(folder, {"--json": "link.json", "--report": None, "--store": None, "--only": ["params"]})
    assert main([*words, "--quiet"]) == 0
    assert (folder / "link.json").is_symlink()
    assert json.loads((folder / "real.json").read_text())["readings"][0]["name"] == "params"


def test_several_checkpoints_are_a_population(folder: Path) -> None:
    world.tensors("second.safetensors", **{"2__bias": torch.tensor([0.5, -0.5])})(folder)
    torch.save({"state_dict": world.state(4)}, folder / "start.pt")
    words = world.command(folder, {
        "--weights": ["w.safetensors", "second.safetensors"], "--initial": ["init.safetensors", "start.pt"],
        "--report": None, "--store": None, "--only": ["params", "fro-distance"], "--quiet": "",
    })  # fmt: skip
    assert main(words) == 0
    record = json.loads((folder / "out" / "audit.json").read_text())
    assert record["subject"]["members"] == 2
    distances = [row["value"] for row in record["readings"] if row["name"] == "fro-distance"]
    for value, start in zip(distances, (1, 4), strict=True):  # the second differs from the first in a bias only
        ours, first = world.state(0), world.state(start)
        expected = sum(((ours[n] - first[n]).double() ** 2).sum().item() for n in ("0.weight", "2.weight"))
        assert value == pytest.approx(expected, rel=1e-5)


def test_a_history_reaches_the_audit_and_a_broken_one_is_refused(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (folder / "history.csv").write_text("step,train-loss\n0,1.0\n10,0.01\n")
    changes = {"--report": None, "--store": None, "--only": "steps-to-loss-tenth", "--quiet": ""}
    assert main(world.command(folder, {**changes, "--history": "history.csv"})) == 0
    record = json.loads((folder / "out" / "audit.json").read_text())
    (row,) = [row for row in record["readings"] if row["name"] == "steps-to-loss-tenth"]
    assert row["value"] == pytest.approx(5.0)
    (folder / "history.csv").write_text("steps,loss\n0,1.0\n")
    assert main(world.command(folder, {**changes, "--history": "history.csv"})) == 2
    assert "history was a table of steps, loss" in capfd.readouterr().err


def test_settings_reach_the_audit(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    table = "a,b,c,kind\n" + "".join(
        f"{row[0]},{row[1]},{row[2]},{'pos' if label else 'neg'}\n" for row, label in zip(world.X, world.Y, strict=True)
    )
    (folder / "train.csv").write_text(table)
    (folder / "test.csv").write_text("kind,c,b,a\n" + "pos,0.5,0.25,0.75\n" * 3 + "pos,1,2,3\n")
    words = world.command(folder, {
        "--train": "train.csv", "--test": "test.csv", "--label": "kind", "--delta": "0.2", "--selected-on-test": "",
        "--duplicates": "allow", "--memory": "1MiB", "--device": "cpu", "--network-args": '{"width": 7}',
        "--weights": world.saved(world.state(5, width=7)), "--initial": None, "--report": None, "--store": None,
        "--quiet": "",
    })  # fmt: skip
    assert main(words) == 0
    assert capfd.readouterr().out == ""
    record = json.loads((folder / "out" / "audit.json").read_text())
    assert record["subject"]["parameters"] == 3 * 7 + 7 + 7 * 2 + 2
    assert record["subject"]["test_examples"] == 4
    assert {certificate["status"] for certificate in record["certificates"]} == {"refused"}
    assert {certificate["delta"] for certificate in record["certificates"]} == {0.2}
    values = {row["name"]: row["value"] for row in record["readings"]}
    weights = world.state(5, width=7)
    x = torch.tensor([[0.75, 0.25, 0.5]] * 3 + [[3.0, 2.0, 1.0]])  # columns in the order of the training file
    hidden = torch.relu(x @ weights["0.weight"].T + weights["0.bias"])
    says = (hidden @ weights["2.weight"].T + weights["2.bias"]).argmax(1)
    assert values["test-accuracy"] == pytest.approx((says == 1).double().mean().item())  # neg is 0, pos is 1


def test_a_regression(folder: Path) -> None:
    np.savez(folder / "line.npz", x=world.X, y=world.X[:, :1] * 2)
    words = world.command(folder, {
        "--train": "line.npz", "--test": "line.npz", "--loss": "squared-error", "--loss-range": "0,50",
        "--network-args": '{"outputs": 1}', "--weights": world.saved(world.state(6, outputs=1)), "--initial": None,
        "--report": None, "--store": None, "--quiet": "", "--duplicates": "allow",
    })  # fmt: skip
    assert main(words) == 0
    record = json.loads((folder / "out" / "audit.json").read_text())
    assert record["subject"]["task"] == "regression"
    ranges = {
        tuple(certificate["loss_range"]) for certificate in record["certificates"] if certificate["name"] == "hoeffding"
    }
    assert ranges == {(0.0, 50.0)}


def test_a_plan_computes_nothing_and_says_what_an_audit_would(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    words = world.command(folder, {"--initial": None, "--json": None, "--report": None, "--store": None, "--plan": ""})
    assert main(words) == 0
    out, err = capfd.readouterr()
    assert err == ""
    assert "Nothing was computed." in out
    assert "not applicable" in out
    (line,) = [line for line in out.splitlines() if line.startswith("fro-distance")]
    assert "initial" in line
    assert main([*words, "--json", "-"]) == 0
    plan = json.loads(capfd.readouterr().out)
    rows = {row["name"]: row for row in plan["plan"]}
    assert rows["path-norm"]["applicable"]
    assert not rows["fro-distance"]["applicable"]
    assert plan["passes"]["forward"] > 0
    assert world.files(folder).keys() == {
        "world_models.py", "w.safetensors", "init.safetensors", "train.npz", "test.npz", "out",
    }  # fmt: skip


def test_an_audit_with_no_place_named_writes_its_report_here(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    words = world.command(folder, {"--json": None, "--report": None, "--store": None, "--only": "params"})
    assert main(words) == 0
    assert "report: heldout-report.html" in capfd.readouterr().out
    assert (folder / "heldout-report.html").exists()


def test_an_output_that_fails_at_the_end_does_not_cost_the_others(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    import heldout.faces.report

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(heldout.faces.report, "write_report", full)
    assert main([*world.command(folder, {"--only": "params"}), "--quiet"]) == 1
    err = capfd.readouterr().err
    assert err.startswith(
        "heldout: could not write the report 'out/report.html' (No space left on device); kept are run: "
    )
    assert err.endswith("record: out/audit.json.\n")
    assert json.loads((folder / "out" / "audit.json").read_text())["readings"][0]["name"] == "params"


@pytest.mark.slow
def test_the_built_in_example(folder: Path) -> None:
    done = run("audit", "--json", "example.json", "--seed", "1")
    record = json.loads((folder / "example.json").read_text())
    assert record["subject"]["groups"] == ["true labels"] * 4 + ["random labels"] * 4
    assert record["contrasts"]
    assert record["seed"] == 1
    assert "record: example.json" in done.stdout
