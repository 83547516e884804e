"""Training and test data from where people keep them: files, folders, functions."""

import zipfile
from pathlib import Path

import numpy as np

from heldout.engine.subject.archives import picture_archive
from heldout.engine.subject.examples import as_examples
from heldout.engine.subject.factories import SPELLING, called
from heldout.engine.subject.loaded import Loaded, numbered, reason
from heldout.engine.subject.pictures import class_folders
from heldout.engine.subject.tables import saved_dataset, table_file
from heldout.records import Refusal

FORMS = (
    "an .npz file, a .parquet or .csv file, IDX or CIFAR files, a folder of pictures a class, a saved Hugging Face dataset, "
    "or module:function"
)
TRAINING = ("train", "--data")


def load_examples(source: str, argument: str, *, label: str = "", like: Loaded | None = None) -> Loaded:
    """Examples from a file, a folder or a function. No file can run code.

    ``.npz`` holds arrays ``x`` and ``y`` (or ``x_train``, ``y_train``, ``x_test`` and ``y_test``); ``.parquet`` and ``.csv`` have a
    label column and numbers in all others; a folder holds one folder of pictures a class, or is a Hugging Face dataset saved to
    disk, or the files that MNIST and CIFAR are published in; ``module:function`` is called without arguments and gives what
    :class:`Subject` takes.

    Args:
        source: The path or ``module:function``.
        argument: ``"train"`` or ``"test"``.
        label: The label column of a table; empty for ``label``, ``y`` or ``labels``.
        like: The training data, when these are test data: classes get its numbers, columns its order.

    Returns:
        The examples, and what other data must repeat.

    Raises:
        Refusal: If the source is none of these or not whole.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     np.savez(f"{folder}/train.npz", x=np.zeros((3, 2)), y=np.array(["dog", "cat", "dog"]))
        ...     loaded = load_examples(f"{folder}/train.npz", "train")
        >>> loaded.classes, loaded.examples.y
        (('cat', 'dog'), tensor([1, 0, 1]))
    """
    place = Path(source)
    if not place.exists() and SPELLING.fullmatch(source):
        data = called(source, argument)
        try:
            return Loaded(as_examples(data, argument))
        except Refusal:
            raise
        except Exception as error:  # a Dataset's own code may raise anything
            raise Refusal(
                given=f"{argument} '{source}' failed while its examples were read ({reason(error)})",
                expected="a Dataset or DataLoader that can be read through",
                do="mend it, or give arrays",
            ) from error
    if not place.exists():
        raise Refusal(given=f"{argument} was '{source}', which is not there", expected=FORMS, do="check the path")
    if (published := picture_archive(place, argument, training=argument in TRAINING)) is not None:
        return published
    if place.is_dir():
        if (place / "state.json").is_file() or (place / "dataset_dict.json").is_file():
            return saved_dataset(place, argument, label, like)
        return class_folders(place, argument, like.classes if like else ())
    kind = place.suffix.lower()
    if kind == ".npz":
        return _arrays(place, argument, like)
    if kind in (".parquet", ".csv"):
        return table_file(place, argument, label, like)
    raise Refusal(
        given=f"{argument} was '{source}'", expected=FORMS, do="convert it, or write a function that loads it"
    )


def _arrays(place: Path, argument: str, like: Loaded | None) -> Loaded:
    try:
        if not zipfile.is_zipfile(place):
            raise ValueError("it is no zip archive of arrays")
        with np.load(place, allow_pickle=False) as held:
            role = "train" if argument in TRAINING else "test"
            pairs = [pair for pair in (("x", "y"), (f"x_{role}", f"y_{role}")) if set(pair) <= set(held.files)]
            keys = ", ".join(held.files[:6]) or "nothing"
            x, y = (held[pairs[0][0]], held[pairs[0][1]]) if pairs else (None, None)
    except (ValueError, OSError, EOFError, KeyError, zipfile.BadZipFile) as error:
        pickled = "allow_pickle" in str(error)
        raise Refusal(
            given=f"{argument} '{place}' "
            + ("holds Python objects, which could run code" if pickled else f"cannot be read ({reason(error)})"),
            expected="an .npz file with arrays x and y of numbers",
            do="save it again with numpy.savez(path, x=x, y=y)",
        ) from error
    if x is None or y is None:
        raise Refusal(
            given=f"{argument} '{place}' has {keys}",
            expected="arrays x and y",
            do="save it again with numpy.savez(path, x=x, y=y)",
        )
    if y.dtype.kind == "U":
        return _words(x, y, argument, like)
    if like is not None and like.classes:
        raise Refusal(
            given=f"{argument} y has numbers where the training data have words",
            expected="labels of one kind",
            do="label both in one way",
        )
    return Loaded(as_examples((x, y), argument))


def _words(x: np.ndarray, y: np.ndarray, argument: str, like: Loaded | None) -> Loaded:
    if like is not None and not like.classes:
        raise Refusal(
            given=f"{argument} y has words where the training data have numbers",
            expected="labels of one kind",
            do="label both in one way",
        )
    labels, classes = numbered([str(word) for word in y.ravel()], argument, like.classes if like else ())
    return Loaded(as_examples((x, labels.reshape(y.shape)), argument), classes)
