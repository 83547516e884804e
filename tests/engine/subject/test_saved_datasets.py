"""Hugging Face datasets saved to disk, read without their package."""

import io
import json
from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.ipc
import pytest
import torch
from PIL import Image

from heldout.engine.subject.loading import load_examples
from heldout.records import Refusal

X = np.array([[0.5, 1.0], [2.0, -3.0], [4.0, 5.5]])


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
        mask = pyarrow.array([[1, 1], [1, 0]], type=pyarrow.list_(pyarrow.int8()))
        columns = {"input_ids": [[1, 2], [3, 4]], "attention_mask": mask, "labels": [0, 1]}
        x = load_examples(saved(tmp_path / "d", columns), "train").examples.x
        assert isinstance(x, dict)
        assert x["attention_mask"].tolist() == [[1, 1], [1, 0]]
        assert x["attention_mask"].dtype == torch.int64  # embeddings take nothing shorter

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
        (tmp_path / "train").mkdir()
        with pytest.raises(Refusal, match=r"holds the splits d, train; expected one of them: pass '.*train'"):
            load_examples(str(tmp_path), "train")
