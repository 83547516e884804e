"""``heldout difficulty``: the same numbers as the verb's, a record, and one sentence for what cannot be meant."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
from torch import nn

from heldout.faces.cli import main


def make() -> nn.Module:
    """A line through the origin."""
    return nn.Linear(1, 1, bias=False)


@pytest.fixture
def words(tmp_path: Path) -> list[str]:
    """Forty lines with normal slopes, which all fit at x = 0; at x = 1 their squared error is a chi-square of one degree."""
    np.savez(tmp_path / "train.npz", x=np.zeros((4, 1), np.float32), y=np.zeros((4, 1), np.float32))
    np.savez(tmp_path / "test.npz", x=np.ones((1, 1), np.float32), y=np.zeros((1, 1), np.float32))
    slopes = torch.randn(40, generator=torch.Generator().manual_seed(0))
    given = []
    for number, slope in enumerate(slopes):
        path = tmp_path / f"{number}.safetensors"
        safetensors.torch.save_file({"weight": slope.reshape(1, 1)}, str(path))
        given += ["--weights", str(path)]
    data = ["--train", str(tmp_path / "train.npz"), "--test", str(tmp_path / "test.npz"), "--loss", "squared-error"]
    return ["difficulty", "--network", f"{__name__}:make", *given, *data]


def test_the_record_and_the_table(words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "record.json"
    assert main([*words, "--target", "0.01", "--fits", "0", "--json", str(path)]) == 0
    said = capsys.readouterr().out
    assert "40 of 40 networks fit" in said
    record = json.loads(path.read_text())
    assert (record["kind"], record["target"], record["networks"]) == ("difficulty", 0.01, 40)
    rows = {row["space"]: row for row in record["rows"]}
    assert set(rows) == {"networks", "kernel", "band-limited"}
    truth = -math.log(math.erf(math.sqrt(0.01 / 2)))
    assert abs(rows["networks"]["nats"] - truth) < 5 * rows["networks"]["standard_error"]  # 6e-7
    assert rows["networks"]["bits"] == pytest.approx(rows["networks"]["nats"] / math.log(2))
    assert rows["kernel"]["nats"] == 0.0  # targets that are zero leave the kernel no height
    assert rows["band-limited"]["bits"] is None  # a regression has no classes that lie apart
    assert rows["band-limited"]["reason"]
    assert record["seen"] == pytest.approx(math.log(40))


def test_a_stream_holds_the_record_alone(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*words, "--target", "0.01", "--fits", "0", "--json", "-"]) == 0
    assert len(json.loads(capsys.readouterr().out)["test_errors"]) == 40


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([], "--target was not given"),
        (["--target", "0", "--fits", "0"], "target was 0"),
        (["--target", "0.1"], "fits was left out for a regression"),
        (["--target", "0.1", "--fits", "0", "--test", "nowhere.npz"], "nowhere.npz"),
        (["--target", "much"], "invalid value for '--target'"),
    ],
)
def test_what_cannot_be_meant_is_one_sentence(
    words: list[str], given: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*words, *given]) == 2
    assert said in capsys.readouterr().err


def test_without_anything_it_says_what_it_needs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["difficulty"]) == 2
    said = capsys.readouterr().err
    assert "--network was not given" in said
    assert "--target was not given" in said
