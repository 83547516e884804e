"""``heldout posterior``: the words it prints, the record and the page it writes, what it refuses."""

import json
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
from torch import nn

from heldout.engine.store import Store, read_result, result_names
from heldout.faces.cli import main
from heldout.faces.cli.posterior import named_weights
from heldout.records import Refusal

QUICK = ["--draws", "50", "--precision", "0.5", "--localisation", "1", "--chains", "4"]


def make() -> nn.Module:
    """The factory."""
    return nn.Linear(2, 2)


@pytest.fixture
def words(tmp_path: Path) -> list[str]:
    """Network, data and two checkpoints on disk."""
    torch.manual_seed(0)
    x = torch.randn(30, 2)
    y = (x[:, 0] > 0).long()
    np.savez(tmp_path / "train.npz", x=x.numpy(), y=y.numpy())
    (tmp_path / "steps").mkdir()
    network = make()
    for step, rounds in ((10, 1), (9, 0)):
        for _ in range(60 * rounds):
            network.zero_grad()
            nn.functional.cross_entropy(network(x), y).backward()  # type: ignore[no-untyped-call]
            with torch.no_grad():
                for parameter in network.parameters():
                    parameter -= parameter.grad  # type: ignore[operator]
        safetensors.torch.save_file(network.state_dict(), str(tmp_path / "steps" / f"step-{step}.safetensors"))
    return ["posterior", "--network", f"{__name__}:make", "--train", str(tmp_path / "train.npz")]


def test_checkpoints_become_a_table_a_page_and_a_record(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page, record = tmp_path / "page.html", tmp_path / "record.json"
    given = ["--checkpoints", str(tmp_path / "steps"), "--report", str(page), "--json", str(record)]
    given += ["--store", str(tmp_path / "store")]
    assert main([*words, *given, *QUICK]) == 0
    said = capsys.readouterr().out
    assert "learning-coefficient-heat-capacity" in said
    assert "step-9.safetensors: converged; hmc, 4 chains" in said
    found = json.loads(record.read_text())
    assert found["labels"] == ["step-9.safetensors", "step-10.safetensors"]  # by number, not by letter
    assert {row["name"] for row in found["readings"]} >= {"learning-coefficient", "waic", "wbic"}
    (run,) = result_names(Store(str(tmp_path / "store")))
    assert run in said
    assert read_result(Store(str(tmp_path / "store")), "posterior", run) == found
    html = page.read_text()
    assert "posterior-chains" in html
    assert "learning-coefficients" in html
    assert "two temperatures" in html


def test_what_did_not_converge_says_why(words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    weights = str(tmp_path / "steps" / "step-9.safetensors")
    assert main([*words, "--weights", weights, "--budget", "60", "--draws", "50"]) == 0
    said = capsys.readouterr().out
    assert "not converged" in said
    assert "budget" in said


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--weights", "x.pt", "--chains", "1"], "x.pt"),
        (["--checkpoints", "nowhere"], "holds no checkpoint"),
        ([], "--weights was not given"),
    ],
)
def test_what_cannot_be_meant_is_one_sentence(
    words: list[str], given: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*words, *given]) == 2
    assert said in capsys.readouterr().err


def test_weights_and_a_folder_exclude_each_other(tmp_path: Path) -> None:
    (tmp_path / "a.pt").touch()
    with pytest.raises(Refusal, match="together with --weights"):
        named_weights(["b.pt"], str(tmp_path))


def test_without_a_network_it_says_what_it_needs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["posterior"]) == 2
    assert "--network was not given" in capsys.readouterr().err
