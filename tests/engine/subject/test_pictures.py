"""Folders of pictures: classes are sorted, pixels are scaled, channels come first."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from heldout.engine.subject.loading import load_examples
from heldout.records import Refusal


def picture(place: Path, array: np.ndarray, mode: str | None = None) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(array)
    (image.convert(mode) if mode else image).save(place)


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
