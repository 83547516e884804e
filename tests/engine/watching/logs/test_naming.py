"""What names mean: the ones that tools really write, and those that mean nothing here."""

import numpy as np
import pytest

from heldout.engine.watching.logs.naming import Meaning, map_of, meaning_of, meanings, translated
from heldout.engine.watching.logs.scalars import Series
from heldout.records import Refusal

KNOWN = {
    "loss": ("loss", False),
    "train_loss": ("train-loss", False),
    "train/loss": ("train-loss", False),
    "Loss/train": ("train-loss", False),
    "loss_train/loss": ("train-loss", False),  # add_scalars of torch
    "train_loss_epoch": ("train-loss", False),
    "trainLoss": ("train-loss", False),
    "eval_loss": ("validation-loss", False),
    "eval/loss": ("validation-loss", False),
    "val_loss": ("validation-loss", False),
    "valid loss": ("validation-loss", False),
    "validation/epoch_loss": ("validation-loss", False),  # Keras
    "validation/evaluation_loss_vs_iterations": ("validation-loss", False),
    "dev.cross_entropy_loss": ("validation-loss", False),
    "acc": ("train-error", True),
    "sparse_categorical_accuracy": ("train-error", True),
    "val_acc": ("validation-error", True),
    "eval_accuracy": ("validation-error", True),
    "val/top1_acc": ("validation-error", True),
    "val_loss/dataloader_idx_0": ("validation-loss", False),
    "val_error_rate": ("validation-error", False),
    "train_err": ("train-error", False),
}
UNKNOWN = ["lr", "learning_rate", "test_loss", "test/accuracy", "grad_norm", "val_f1", "balanced_accuracy", "train_val_loss",
           "val_top5_acc", "loss_scale", "eval_runtime", "", "val_loss_std", "accuracy_loss"]  # fmt: skip


@pytest.mark.parametrize("name", KNOWN)
def test_a_known_name(name: str) -> None:
    assert meaning_of(name) == Meaning(name, *KNOWN[name])


@pytest.mark.parametrize("name", UNKNOWN)
def test_a_name_that_means_nothing_here(name: str) -> None:
    assert meaning_of(name) is None


def test_of_several_the_epoch_and_the_shorter_name_are_taken() -> None:
    found, left = meanings(["val_acc", "val/top1_acc", "train_loss_step", "train_loss", "loss"], {})
    assert [each.theirs for each in found] == ["loss", "train_loss", "val_acc"]
    assert left == ["val/top1_acc", "train_loss_step"]


def test_a_loss_alone_is_that_of_training() -> None:
    assert meanings(["loss", "val_loss"], {})[0][0] == Meaning("loss", "train-loss")


def test_what_is_said_by_hand_comes_first() -> None:
    given = map_of(["score=1-validation-error", "a=b=train-loss"])
    assert given == {"score": "1-validation-error", "a=b": "train-loss"}
    found, _ = meanings(["val_acc", "score", "a=b", "train_loss"], given)
    assert found == [Meaning("a=b", "train-loss"), Meaning("score", "validation-error", turned=True)]


@pytest.mark.parametrize("words", ["score", "=train-loss", "score=accuracy", "score=1-train-loss", "score="])
def test_a_map_names_one_of_ours(words: str) -> None:
    with pytest.raises(Refusal, match="THEIRS=OURS"):
        map_of([words])


def series(*values: float) -> Series:
    return Series(np.arange(len(values)), np.array(values), np.full(len(values), np.nan))


def test_accuracies_become_errors() -> None:
    ours, note = translated(series(0.5, 1.0), Meaning("acc", "validation-error", turned=True))
    assert ours is not None
    assert (ours.value.tolist(), note) == ([0.5, 0.0], "")
    per_cent, note = translated(series(50.0, 1.5, float("nan")), Meaning("err", "train-error"))
    assert per_cent is not None
    assert per_cent.value[:2].tolist() == [0.5, 0.015]
    assert "per cent" in note


@pytest.mark.parametrize("values", [(-0.1, 0.5), (50.0, 101.0)])
def test_what_is_no_share_is_left_out(values: tuple[float, float]) -> None:
    ours, note = translated(series(*values), Meaning("acc", "validation-error", turned=True))
    assert ours is None
    assert "no share" in note


def test_a_loss_is_taken_as_it_is() -> None:
    assert translated(series(-3.0, 200.0), Meaning("loss", "train-loss"))[0] is not None
