"""Data from files, folders and functions: what is read is what was written, and nothing runs code."""

import pickle
import sys
from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
import torch

from heldout.engine.subject.loading import load_examples
from heldout.records import Refusal

X = np.array([[0.5, 1.0], [2.0, -3.0], [4.0, 5.5]])


def table(place: Path, columns: dict[str, object]) -> str:
    if place.suffix == ".csv":
        import pandas

        pandas.DataFrame(columns).to_csv(place, index=False)
    else:
        pyarrow.parquet.write_table(pyarrow.table(columns), place)
    return str(place)


class TestArrays:
    def test_numbers_come_back(self, tmp_path: Path) -> None:
        np.savez(tmp_path / "a.npz", x=X, y=np.array([0, 1, 0]))
        loaded = load_examples(str(tmp_path / "a.npz"), "train")
        assert torch.equal(loaded.examples.x, torch.from_numpy(X))
        assert loaded.examples.y.tolist() == [0, 1, 0]
        assert loaded.classes == ()

    def test_words_get_the_training_numbers(self, tmp_path: Path) -> None:
        np.savez(tmp_path / "a.npz", x=X, y=np.array(["dog", "ant", "cat"]))
        np.savez(tmp_path / "b.npz", x=X, y=np.array(["dog", "dog", "cat"]))
        train = load_examples(str(tmp_path / "a.npz"), "train")
        assert train.classes == ("ant", "cat", "dog")
        assert train.examples.y.tolist() == [2, 0, 1]
        # On its own the second file would call cat 0 and dog 1.
        assert load_examples(str(tmp_path / "b.npz"), "test", like=train).examples.y.tolist() == [2, 2, 1]

    def test_objects_are_refused_and_never_unpickled(self, tmp_path: Path) -> None:
        class Bomb:
            def __reduce__(self) -> tuple[object, tuple[str]]:
                return Path.touch, (tmp_path / "ran",)  # type: ignore[return-value]

        np.savez(tmp_path / "a.npz", x=np.array([Bomb()], dtype=object), y=np.array([0]))
        with pytest.raises(Refusal, match="Python objects, which could run code"):
            load_examples(str(tmp_path / "a.npz"), "train")
        assert not (tmp_path / "ran").exists()

    def test_a_bare_array_and_a_pickle_under_this_name_are_refused(self, tmp_path: Path) -> None:
        with (tmp_path / "a.npz").open("wb") as file:
            np.save(file, X)
        (tmp_path / "b.npz").write_bytes(pickle.dumps({"x": X}))
        for name in ("a", "b"):
            with pytest.raises(Refusal, match=r"expected an \.npz file with arrays x and y"):
                load_examples(str(tmp_path / f"{name}.npz"), "train")


@pytest.mark.parametrize("ending", ["csv", "parquet"])
class TestTables:
    def test_columns_become_a_matrix_without_the_label(self, tmp_path: Path, ending: str) -> None:
        columns = {"b": X[:, 0], "label": [2, 0, 1], "a": X[:, 1]}
        loaded = load_examples(table(tmp_path / f"t.{ending}", columns), "train")
        assert torch.equal(loaded.examples.x, torch.from_numpy(X))
        assert loaded.columns == ("b", "a")
        assert loaded.examples.y.tolist() == [2, 0, 1]

    def test_a_named_label_leaves_the_others_as_features(self, tmp_path: Path, ending: str) -> None:
        columns = {"label": [1.0, 2.0, 3.0], "kind": ["x", "y", "x"]}
        loaded = load_examples(table(tmp_path / f"t.{ending}", columns), "train", label="kind")
        assert loaded.columns == ("label",)
        assert loaded.classes == ("x", "y")

    def test_the_second_table_takes_the_first_ones_columns_and_classes(self, tmp_path: Path, ending: str) -> None:
        train = load_examples(table(tmp_path / f"a.{ending}", {"a": [1.0, 2], "b": [3.0, 4], "y": ["q", "p"]}), "train")
        path = table(tmp_path / f"b.{ending}", {"y": ["q", "q"], "b": [30.0, 40], "a": [10.0, 20]})
        test = load_examples(path, "test", like=train)
        assert test.examples.x.tolist() == [[10, 30], [20, 40]]
        assert test.examples.y.tolist() == [1, 1]

    def test_a_gap_is_nan_so_that_it_is_refused_later(self, tmp_path: Path, ending: str) -> None:
        path = table(tmp_path / f"t.{ending}", {"a": [1, None, 3], "y": [0, 1, 0]})
        x = load_examples(path, "train").examples.x
        assert torch.isnan(x[1, 0])
        assert x[2, 0] == 3

    @pytest.mark.parametrize(
        ("columns", "words"),
        [
            ({"a": [1.0], "b": [2.0]}, "no label column among a, b"),
            ({"a": [1.0], "y": [0], "label": [1]}, "more than one label column"),
            ({"a": ["red"], "y": [0]}, "values of type .*string in its column 'a'"),
            ({"y": [0]}, "no columns beside the label"),
            ({"a": [1.0, 2.0], "y": ["p", None]}, "1 absent labels in its column 'y'"),
            ({"": [0], "a": [1.0], "y": [0]}, "the row numbers that pandas writes"),
        ],
    )
    def test_what_is_no_table_of_examples(
        self, tmp_path: Path, ending: str, columns: dict[str, object], words: str
    ) -> None:
        with pytest.raises(Refusal, match=words):
            load_examples(table(tmp_path / f"t.{ending}", columns), "train")

    def test_other_columns_or_labels_in_the_test_data(self, tmp_path: Path, ending: str) -> None:
        train = load_examples(table(tmp_path / f"a.{ending}", {"a": [1.0, 2.0], "y": ["p", "q"]}), "train")
        for columns, words in (
            ({"b": [1.0], "y": ["p"]}, "'a' is only in one of them"),
            ({"a": [1.0], "y": ["r"]}, "the label 'r', which the training data have not"),
            ({"a": [1.0], "y": [1]}, "numbers where the training data have words"),
        ):
            with pytest.raises(Refusal, match=words):
                load_examples(table(tmp_path / f"b.{ending}", columns), "test", like=train)


class TestFunctions:
    @pytest.fixture(autouse=True)
    def module(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "heldout_test_data.py").write_text(
            "import torch\nfrom torch.utils.data import DataLoader, TensorDataset\n"
            "x, y = torch.arange(6.).reshape(3, 2), torch.tensor([0, 1, 1])\n"
            "def pair(): return x, y\n"
            "def dataset(): return TensorDataset(x, y)\n"
            "def loader(): return DataLoader(TensorDataset(x, y), batch_size=2)\n"
            "def broken(): raise OSError('the disk\\nis gone')\n"
            "class Torn(TensorDataset):\n    def __getitem__(self, i): raise KeyError('label')\n"
            "def torn(): return Torn(x, y)\n"
            "def number(): return 3\n"
        )
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "path", sys.path[:])
        sys.modules.pop("heldout_test_data", None)

    @pytest.mark.parametrize("function", ["pair", "dataset", "loader"])
    def test_every_form_gives_the_same_examples(self, function: str) -> None:
        examples = load_examples(f"heldout_test_data:{function}", "train").examples
        assert examples.x.tolist() == [[0, 1], [2, 3], [4, 5]]
        assert examples.y.tolist() == [0, 1, 1]

    @pytest.mark.parametrize(
        ("source", "words"),
        [
            ("heldout_test_data:broken", r"failed when it was called with no arguments \(OSError: the disk\)"),
            ("heldout_test_data:torn", r"failed while its examples were read \(KeyError: 'label'\)"),
            ("heldout_test_data:number", "train was a int"),
            ("heldout_test_data:pairs", "named 'pairs', which .* expected one of its functions, such as pair"),
            ("heldout_test_data:x", "a Tensor; expected a function"),
            ("no_such_module_here:pair", "the module 'no_such_module_here', which is not there"),
            ("data.tar", "train was 'data.tar', which is not there"),
        ],
    )
    def test_refusals(self, source: str, words: str) -> None:
        with pytest.raises(Refusal, match=words):
            load_examples(source, "train")
