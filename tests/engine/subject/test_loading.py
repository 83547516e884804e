"""Data from files, folders and functions: what is read is what was written, and nothing runs code."""

import io
import json
import pickle
import sys
from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.ipc
import pyarrow.parquet
import pytest
import torch
from PIL import Image

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


def saved(folder: Path, columns: dict[str, object], features: dict[str, object] | None = None, parts: int = 2) -> str:
    """What ``datasets.Dataset.save_to_disk`` leaves, written by hand."""
    folder.mkdir()
    whole = pyarrow.table(columns)
    names = [f"data-{i:05d}-of-{parts:05d}.arrow" for i in range(parts)]
    cuts = np.linspace(0, whole.num_rows, parts + 1).astype(int)
    for name, low, high in zip(names, cuts, cuts[1:], strict=False):
        with pyarrow.ipc.new_stream(str(folder / name), whole.schema) as stream:
            stream.write_table(whole.slice(low, high - low))
    (folder / "state.json").write_text(json.dumps({"_data_files": [{"filename": name} for name in names]}))
    (folder / "dataset_info.json").write_text(json.dumps({"features": features or {}}))
    return str(folder)


def picture(place: Path, array: np.ndarray, mode: str | None = None) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(array)
    (image.convert(mode) if mode else image).save(place)


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


class TestPictures:
    def test_classes_are_sorted_and_pixels_are_scaled(self, tmp_path: Path) -> None:
        grey = np.array([[0, 51], [255, 102]], dtype=np.uint8)
        picture(tmp_path / "dog" / "1.png", grey)
        picture(tmp_path / "ant" / "2.png", grey.T.copy())
        picture(tmp_path / "ant" / "1.png", grey)
        (tmp_path / ".cache").mkdir()
        (tmp_path / "ant" / "notes.txt").write_text("mine")
        loaded = load_examples(str(tmp_path), "train")
        assert loaded.classes == ("ant", "dog")
        assert loaded.examples.y.tolist() == [0, 0, 1]
        assert loaded.examples.x.shape == (3, 1, 2, 2)
        assert loaded.examples.x.dtype == torch.float32
        torch.testing.assert_close(loaded.examples.x[0, 0], torch.tensor([[0, 0.2], [1, 0.4]]))
        torch.testing.assert_close(loaded.examples.x[1, 0], torch.tensor([[0, 1], [0.2, 0.4]]))

    @pytest.mark.parametrize(("mode", "channels"), [("RGB", 3), ("RGBA", 3), ("P", 3), ("L", 1), ("1", 1)])
    def test_channels_come_first(self, tmp_path: Path, mode: str, channels: int) -> None:
        pixels = np.zeros((2, 5, 3), dtype=np.uint8)
        pixels[..., 0] = 255
        picture(tmp_path / "a" / "1.png", pixels, mode)
        x = load_examples(str(tmp_path), "train").examples.x
        assert x.shape == (1, channels, 2, 5)
        if channels == 3:
            assert x[0, :, 0, 0].tolist() == [1, 0, 0]

    def test_a_class_without_test_pictures_does_not_shift_the_others(self, tmp_path: Path) -> None:
        grey = np.zeros((2, 2), dtype=np.uint8)
        for name in ("train/ant/1.png", "train/bee/1.png", "train/cat/1.png", "test/cat/1.png", "odd/dog/1.png"):
            picture(tmp_path / name, grey)
        train = load_examples(str(tmp_path / "train"), "train")
        assert load_examples(str(tmp_path / "test"), "test", like=train).examples.y.tolist() == [2]
        with pytest.raises(Refusal, match="the label 'dog', which the training data have not"):
            load_examples(str(tmp_path / "odd"), "test", like=train)

    def test_sizes_that_differ_and_pictures_that_are_none(self, tmp_path: Path) -> None:
        picture(tmp_path / "a" / "1.png", np.zeros((2, 2), dtype=np.uint8))
        picture(tmp_path / "a" / "2.png", np.zeros((2, 3), dtype=np.uint8))
        with pytest.raises(Refusal, match=r"'a/1.png' is 1x2x2 and 'a/2.png' is 1x2x3"):
            load_examples(str(tmp_path), "train")
        (tmp_path / "a" / "2.png").write_bytes(b"no picture")
        with pytest.raises(Refusal, match=r"a picture 'a/2.png' that cannot be read"):
            load_examples(str(tmp_path), "train")
        (tmp_path / "b").mkdir()
        with pytest.raises(Refusal, match="no pictures in its folder 'b'"):
            load_examples(str(tmp_path), "train")


class TestSavedDatasets:
    def test_scalars_from_several_files(self, tmp_path: Path) -> None:
        path = saved(tmp_path / "d", {"a": X[:, 0], "b": X[:, 1], "label": [1, 0, 1]})
        loaded = load_examples(path, "train")
        assert torch.equal(loaded.examples.x, torch.from_numpy(X))
        assert loaded.examples.y.tolist() == [1, 0, 1]

    def test_nested_lists_keep_their_shape_and_type(self, tmp_path: Path) -> None:
        values = np.arange(24).reshape(2, 3, 4)
        x = load_examples(saved(tmp_path / "d", {"image": values.tolist(), "y": [0, 1]}), "train").examples.x
        assert x.dtype == torch.int64
        assert torch.equal(x, torch.from_numpy(values))

    def test_several_list_columns_are_keywords(self, tmp_path: Path) -> None:
        columns = {"input_ids": [[1, 2], [3, 4]], "attention_mask": [[1, 1], [1, 0]], "labels": [0, 1]}
        x = load_examples(saved(tmp_path / "d", columns), "train").examples.x
        assert isinstance(x, dict)
        assert x["attention_mask"].tolist() == [[1, 1], [1, 0]]

    def test_pictures_are_decoded(self, tmp_path: Path) -> None:
        buffer = io.BytesIO()
        Image.fromarray(np.full((2, 2), 51, dtype=np.uint8)).save(buffer, "png")
        rows = [{"bytes": buffer.getvalue(), "path": None}] * 2
        x = load_examples(saved(tmp_path / "d", {"image": rows, "label": [0, 1]}), "train").examples.x
        torch.testing.assert_close(x, torch.full((2, 1, 2, 2), 0.2))
        gone = [{"bytes": None, "path": "/elsewhere.png"}]
        with pytest.raises(Refusal, match="pictures that are not in the file"):
            load_examples(saved(tmp_path / "e", {"image": gone, "label": [0]}, parts=1), "train")

    def test_declared_classes_keep_the_training_order(self, tmp_path: Path) -> None:
        def features(*names: str) -> dict[str, object]:
            return {"label": {"names": list(names), "_type": "ClassLabel"}}

        train = load_examples(saved(tmp_path / "a", {"a": [1.0, 2], "label": [1, 0]}, features("pos", "neg")), "train")
        assert train.classes == ("pos", "neg")
        assert train.examples.y.tolist() == [1, 0]
        test = saved(tmp_path / "b", {"a": [1.0, 2], "label": [0, 0]}, features("neg", "pos"))
        assert load_examples(test, "test", like=train).examples.y.tolist() == [1, 1]

    def test_it_reads_what_arrow_files_of_the_other_format_hold(self, tmp_path: Path) -> None:
        path = saved(tmp_path / "d", {"a": [1.0, 2.0], "y": [0, 1]}, parts=1)
        whole = pyarrow.table({"a": [7.0, 8.0], "y": [1, 1]})
        with pyarrow.ipc.new_file(str(tmp_path / "d" / "data-00000-of-00001.arrow"), whole.schema) as file:
            file.write_table(whole)
        assert load_examples(path, "train").examples.x.tolist() == [[7], [8]]

    def test_no_file_outside_the_folder_is_opened(self, tmp_path: Path) -> None:
        saved(tmp_path / "other", {"a": [1.0], "y": [0]}, parts=1)
        path = saved(tmp_path / "d", {"a": [1.0], "y": [0]}, parts=1)
        (tmp_path / "d" / "data-00000-of-00001.arrow").unlink()
        leading = {"_data_files": [{"filename": "../other/data-00000-of-00001.arrow"}]}
        (tmp_path / "d" / "state.json").write_text(json.dumps(leading))
        with pytest.raises(Refusal, match="cannot be read"):
            load_examples(path, "train")

    def test_splits_selections_ragged_lists_and_damage_are_refused(self, tmp_path: Path) -> None:
        path = saved(tmp_path / "d", {"a": [[1.0], [1.0, 2.0]], "y": [0, 1]})
        with pytest.raises(Refusal, match="lists of different lengths in its column 'a'"):
            load_examples(path, "train")
        state = json.loads((tmp_path / "d" / "state.json").read_text())
        (tmp_path / "d" / "state.json").write_text(json.dumps({**state, "_indices_data_files": [{"filename": "i"}]}))
        with pytest.raises(Refusal, match="call flatten_indices"):
            load_examples(path, "train")
        (tmp_path / "d" / "state.json").write_text("{")
        with pytest.raises(Refusal, match="cannot be read"):
            load_examples(path, "train")
        (tmp_path / "dataset_dict.json").write_text(json.dumps({"splits": ["d"]}))
        with pytest.raises(Refusal, match=r"holds the splits d; expected one of them: pass '.*d'"):
            load_examples(str(tmp_path), "train")


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
