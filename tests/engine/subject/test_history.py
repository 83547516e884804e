"""Histories from tables: forms, and what is refused with a remedy."""

from pathlib import Path

import numpy as np
import pandas
import pytest
import torch
from torch import nn

from heldout.engine.subject import Subject
from heldout.engine.subject.fingerprint import fingerprint
from heldout.engine.subject.history import History, as_history, history_file
from heldout.records import Refusal

PLAIN = {"step": [0, 5, 10], "train-loss": [2.0, 1.0, 0.5]}


def test_forms(tmp_path: Path) -> None:
    table = pandas.DataFrame(PLAIN)
    table.to_csv(tmp_path / "history.csv", index=False)
    table.to_parquet(tmp_path / "history.parquet")
    files = [history_file(str(tmp_path / f"history.{kind}")) for kind in ("csv", "parquet")]
    tensors = {name: torch.tensor(column) for name, column in PLAIN.items()}
    for given in (PLAIN, table, tensors, *files, as_history(PLAIN, 1)):
        found = as_history(given, 1)
        assert found.steps.tolist() == [0, 5, 10]
        assert found.losses.tolist() == [[2.0, 1.0, 0.5]]
        assert found.gradient_noise is None
        assert found.epoch is None


def test_rows_in_any_order_and_empty_cells(tmp_path: Path) -> None:
    text = "member,step,train-loss,gradient-noise,epoch\n1,4,0.5,,2\n0,0,2.0,7,0\n1,0,3.0,8,0\n0,4,,9,2\n"
    (tmp_path / "history.csv").write_text(text)
    found = as_history(history_file(str(tmp_path / "history.csv")), 2)
    np.testing.assert_array_equal(found.losses, [[2.0, np.nan], [3.0, 0.5]])
    np.testing.assert_array_equal(found.gradient_noise, [[7.0, 9.0], [8.0, np.nan]])
    assert found.epoch == 2.0  # one epoch in two steps


@pytest.mark.parametrize(
    ("epochs", "expected"),
    [([0, 1, 2], 5.0), ([0.0, 0.5, 1.5], 7.5), ([1, 2, 3], 0.0), ([0, 0, 0.9], None), ([2, 3, 4], None)],
)
def test_the_first_epoch(epochs: list[float], expected: float | None) -> None:
    assert as_history({**PLAIN, "epoch": epochs}, 1).epoch == expected


@pytest.mark.parametrize(
    ("given", "members", "said"),
    [
        ([1, 2, 3], 1, "a list"),
        ("history.csv", 1, "a str"),
        (np.zeros((3, 2)), 1, "columns step and train-loss"),
        ({"step": [0]}, 1, "a table of step"),
        ({"step": [0, 1], "train-loss": [1.0]}, 1, "step 2, train-loss 1"),
        ({"step": [], "train-loss": []}, 1, "step 0"),
        ({"step": [0], "train-loss": ["much"]}, 1, "something else than numbers"),
        ({"step": [-1], "train-loss": [1.0]}, 1, "step -1"),
        ({"step": [0.5], "train-loss": [1.0]}, 1, "step 0.5"),
        ({"step": [0], "train-loss": [-1.0]}, 1, "negative"),
        ({"step": [0, 0], "train-loss": [1.0, 1.0]}, 1, "two rows"),
        ({"step": [0, 0], "train-loss": [1.0, 1.0]}, 2, "column member"),
        ({**PLAIN, "member": [0, 0, 2]}, 2, "member 2"),
        (PLAIN, 2, "no row of member 1"),
        (History(np.arange(2), np.zeros((3, 2))), 2, "losses for 3 members"),
    ],
)
def test_refusals(given: object, members: int, said: str) -> None:
    with pytest.raises(Refusal, match=said):
        as_history(given, members)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "broken.parquet").write_bytes(b"no")
    for name, said in (
        ("history.txt", "convert it"),
        ("none.csv", "check the path"),
        ("broken.parquet", "cannot be read"),
    ):
        with pytest.raises(Refusal, match=said):
            history_file(str(tmp_path / name))


def test_a_subject_with_another_history_is_another_subject() -> None:
    network, data = nn.Linear(2, 2), (torch.randn(6, 2), torch.arange(6) % 2)
    names = {
        fingerprint(Subject(network, data, history=history))
        for history in (None, PLAIN, {**PLAIN, "train-loss": [2.0, 1.0, 0.25]}, {**PLAIN, "epoch": [0, 1, 2]})
    }
    assert len(names) == 4
