"""Published picture files: written here byte by byte after their descriptions, and read back."""

import gzip
import os
import pickle
import struct
from pathlib import Path

import numpy as np
import pytest

from heldout.engine.subject.loading import load_examples
from heldout.records import Refusal

RANDOM = np.random.default_rng(0)
PICTURES = RANDOM.integers(0, 256, (5, 28, 28)).astype(np.uint8)
LABELS = np.array([3, 0, 9, 1, 1], dtype=np.uint8)
COLOURED = RANDOM.integers(0, 256, (4, 3, 32, 32)).astype(np.uint8)


def idx(
    folder: Path, role: str, pictures: np.ndarray = PICTURES, labels: np.ndarray = LABELS, packed: bool = False
) -> None:
    for name, array in ((f"{role}-images-idx3-ubyte", pictures), (f"{role}-labels-idx1-ubyte", labels)):
        content = struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()
        if packed:
            (folder / f"{name}.gz").write_bytes(gzip.compress(content))
        else:
            (folder / name).write_bytes(content)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("below", ["", "raw"])
def test_mnist_and_its_relatives(tmp_path: Path, packed: bool, below: str) -> None:
    (tmp_path / below).mkdir(exist_ok=True)
    idx(tmp_path / below, "train", packed=packed)
    idx(tmp_path / below, "t10k", PICTURES[::-1], LABELS[::-1], packed=packed)
    train, test = (load_examples(str(tmp_path), role).examples for role in ("train", "test"))
    assert train.x.shape == (5, 1, 28, 28)
    assert np.array_equal((train.x[:, 0] * 255).round().numpy(), PICTURES)
    assert train.y.tolist() == LABELS.tolist()
    assert test.y.tolist() == LABELS[::-1].tolist()
    file = tmp_path / below / ("t10k-images-idx3-ubyte" + (".gz" if packed else ""))
    assert (
        load_examples(str(file), "train").examples.y.tolist() == LABELS[::-1].tolist()
    )  # a file that was named is the file


def test_both_packed_and_unpacked_beside_each_other_are_one(tmp_path: Path) -> None:
    idx(tmp_path, "train")
    idx(tmp_path, "train", packed=True)
    assert len(load_examples(str(tmp_path), "train").examples) == 5


def coloured(folder: Path, form: str, hundred: bool) -> None:
    names = ("train", "test") if hundred else ("data_batch_1", "data_batch_2", "test_batch")
    for place, name in enumerate(names):
        labels = [place, 7, 1, 2]
        if form == "binary":
            extra = np.zeros((4, 1), np.uint8)
            parts = [*([extra] if hundred else []), np.array(labels, np.uint8)[:, None], COLOURED.reshape(4, -1)]
            (folder / f"{name}.bin").write_bytes(np.concatenate(parts, axis=1).tobytes())
        else:
            key = b"fine_labels" if hundred else b"labels"
            held = {b"data": COLOURED.reshape(4, -1), key: labels, b"coarse_labels": [0] * 4}
            (folder / name).write_bytes(pickle.dumps(held, protocol=2))


@pytest.mark.parametrize("form", ["binary", "pickled"])
@pytest.mark.parametrize("hundred", [False, True])
def test_cifar(tmp_path: Path, form: str, hundred: bool) -> None:
    coloured(tmp_path, form, hundred)
    train, test = (load_examples(str(tmp_path), role).examples for role in ("train", "test"))
    assert train.x.shape == (4 if hundred else 8, 3, 32, 32)
    assert np.array_equal((train.x[:4] * 255).round().numpy(), COLOURED)
    assert train.y.tolist() == ([0, 7, 1, 2] if hundred else [0, 7, 1, 2, 1, 7, 1, 2])
    assert test.y.tolist() == ([1, 7, 1, 2] if hundred else [2, 7, 1, 2])


def test_a_batch_that_would_run_code_is_refused(tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.mkdir, (str(tmp_path / "ran"),)

    (tmp_path / "data_batch_1").write_bytes(pickle.dumps({b"data": Bomb(), b"labels": [1]}, protocol=2))
    with pytest.raises(Refusal, match=r"mkdir, which could run code"):
        load_examples(str(tmp_path), "train")
    assert not (tmp_path / "ran").exists()


def test_what_is_not_whole_is_said(tmp_path: Path) -> None:
    idx(tmp_path, "train", labels=LABELS[:3])
    with pytest.raises(Refusal, match=r"5 pictures .* and 3 labels"):
        load_examples(str(tmp_path), "train")
    (tmp_path / "train-labels-idx1-ubyte").unlink()
    with pytest.raises(Refusal, match="no labels beside it"):
        load_examples(str(tmp_path), "train")
    image = tmp_path / "train-images-idx3-ubyte"
    image.write_bytes(image.read_bytes()[:-7])
    idx(tmp_path / ".", "test")
    (tmp_path / "train-labels-idx1-ubyte").write_bytes((tmp_path / "test-labels-idx1-ubyte").read_bytes())
    with pytest.raises(Refusal, match="announces 5x28x28 values and holds 3913"):
        load_examples(str(tmp_path), "train")
    image.write_bytes(b"no idx file")
    with pytest.raises(Refusal, match="does not begin as an IDX file"):
        load_examples(str(tmp_path), "train")
    (tmp_path / "t10k-images-idx3-ubyte.gz").write_bytes(b"no gzip")
    idx(tmp_path, "t10k")
    (tmp_path / "t10k-images-idx3-ubyte").unlink()
    (tmp_path / "test-images-idx3-ubyte").unlink()
    with pytest.raises(Refusal, match="Not a gzipped file"):
        load_examples(str(tmp_path), "test")
    batches = tmp_path / "cifar"
    batches.mkdir()
    (batches / "data_batch_1.bin").write_bytes(b"\0" * 3000)
    with pytest.raises(Refusal, match="no whole number of records of 3073"):
        load_examples(str(batches), "train")
    (batches / "test_batch").write_bytes(pickle.dumps({b"data": PICTURES, b"labels": [1] * 5}, protocol=2))
    with pytest.raises(Refusal, match="it holds an array"):
        load_examples(str(batches), "test")


def test_two_data_sets_in_one_folder_are_not_guessed_between(tmp_path: Path) -> None:
    idx(tmp_path, "emnist-letters-train")
    idx(tmp_path, "emnist-digits-train")
    with pytest.raises(Refusal, match="name the file of pictures itself"):
        load_examples(str(tmp_path), "train")


def test_folders_of_classes_named_train_and_test_stay_folders_of_classes(tmp_path: Path) -> None:
    from PIL import Image

    for name in ("train", "test"):
        (tmp_path / name).mkdir()
        Image.fromarray(PICTURES[0]).save(tmp_path / name / "1.png")
    assert load_examples(str(tmp_path), "train").classes == ("test", "train")


def test_arrays_of_both_roles_in_one_file(tmp_path: Path) -> None:
    np.savez(tmp_path / "m.npz", x_train=PICTURES, y_train=LABELS, x_test=PICTURES[:2], y_test=LABELS[:2])
    sizes = [len(load_examples(str(tmp_path / "m.npz"), role).examples) for role in ("train", "test")]
    assert sizes == [5, 2]
