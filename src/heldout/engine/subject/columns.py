"""Columns of an Arrow table as arrays: numbers, lists of numbers, pictures."""

from typing import Any

import numpy as np
import pyarrow
import torch
from torch import Tensor

from heldout.engine.subject.examples import Examples
from heldout.engine.subject.loaded import Loaded, numbered
from heldout.engine.subject.pictures import decoded
from heldout.records import Refusal


def examples_of(
    table: Any, label: str, argument: str, like: Loaded | None = None, names: tuple[str, ...] = ()
) -> Loaded:
    """Examples from a table.

    Columns of plain numbers become one matrix ``[N, columns]``; a single column of lists or pictures becomes the input; several
    columns with a list among them become a dictionary, for networks that take keywords.

    Args:
        table: An Arrow table.
        label: The label column.
        argument: The argument's name.
        like: The training data, whose columns and classes are repeated.
        names: Names of the class numbers, where the file declares them.

    Returns:
        The examples.

    Raises:
        Refusal: If a column does not hold numbers, or the columns are not those of the training data.
    """
    features = [name for name in table.column_names if name != label]
    if not features or len(set(table.column_names)) < len(table.column_names) or table.num_rows == 0:
        wrong = (
            "no rows" if table.num_rows == 0 else "no columns beside the label" if not features else "a column twice"
        )
        raise Refusal(given=f"{argument} has {wrong}", expected="a table of examples", do="check the file")
    unnamed = [name for name in features if name.strip() == "" or name.startswith("__index_level_")]
    if unnamed:
        raise Refusal(
            given=f"{argument} has a column '{unnamed[0]}', the row numbers that pandas writes",
            expected="features and a label only",
            do="write the file with index=False",
        )
    if like is not None and set(features) != set(like.columns):
        odd = sorted(set(features) ^ set(like.columns))
        raise Refusal(
            given=f"{argument} has other columns than the training data ('{odd[0]}' is only in one of them)",
            expected=f"the columns {', '.join(like.columns[:6])}{', ...' if len(like.columns) > 6 else ''}",
            do="write both files from the same table",
        )
    order = like.columns if like is not None else tuple(features)
    arrays = {name: array_of(table.column(name), name, argument) for name in order}
    if len(arrays) == 1 and next(iter(arrays.values())).ndim > 1:
        x: Any = next(iter(arrays.values()))
    elif all(array.ndim == 1 for array in arrays.values()):
        single = all(array.dtype == torch.float32 for array in arrays.values())
        x = torch.stack([array.to(torch.float32 if single else torch.float64) for array in arrays.values()], dim=1)
    else:
        x = arrays
    y, classes = _labels(table.column(label), label, argument, like, names)
    return Loaded(Examples(x, y), classes, order)


def array_of(column: Any, name: str, argument: str) -> Tensor:
    """A column as a tensor.

    Args:
        column: An Arrow column of numbers, lists of numbers of equal length, or pictures.
        name: The column's name.
        argument: The argument's name.

    Returns:
        ``[N, ...]``; an absent number is NaN.

    Raises:
        Refusal: If it holds anything else.

    Example:
        >>> array_of(pyarrow.array([[1, 2], [3, 4]]), "x", "train")
        tensor([[1, 2],
                [3, 4]])
    """
    array = _whole(column)
    kind = array.type
    if pyarrow.types.is_struct(kind) and {"bytes", "path"} >= {field.name for field in kind}:
        rows = array.to_pylist()
        blobs = [row["bytes"] for row in rows if row is not None and row.get("bytes") is not None]
        if len(blobs) < len(rows):
            raise Refusal(
                **_words(
                    argument, name, "pictures that are not in the file", "save the dataset with its pictures in it"
                )
            )
        return decoded(((f"{name} {index}", blob) for index, blob in enumerate(blobs)), argument)
    shape = [len(array)]
    while pyarrow.types.is_list(array.type) or pyarrow.types.is_large_list(array.type) or _fixed(array.type):
        lengths = set(array.value_lengths().unique().to_pylist())
        if array.null_count or len(lengths) > 1:
            raise Refusal(**_words(argument, name, "lists of different lengths", "pad or cut them to one length"))
        shape.append(lengths.pop() if lengths else 0)
        array = array.flatten()
    if not (pyarrow.types.is_integer(array.type) or pyarrow.types.is_floating(array.type) or _boolean(array.type)):
        raise Refusal(
            **_words(argument, name, f"values of type {array.type}", "encode it as numbers or drop the column")
        )
    values = array.to_numpy(zero_copy_only=False)
    if values.dtype == object:  # booleans with gaps
        values = np.array([np.nan if value is None else float(value) for value in values])
    if values.dtype.kind == "i" or (values.dtype.kind == "u" and values.itemsize > 1):
        values = values.astype(np.int64)  # what embeddings and losses take; bytes stay bytes
    return torch.from_numpy(np.array(values)).reshape(shape)


def _labels(
    column: Any, label: str, argument: str, like: Loaded | None, names: tuple[str, ...]
) -> tuple[Tensor, tuple[str, ...]]:
    array = _whole(column)
    classes = like.classes if like is not None else ()
    if pyarrow.types.is_string(array.type) or pyarrow.types.is_large_string(array.type):
        words = array.to_pylist()
        if any(word is None for word in words):
            raise Refusal(**_words(argument, label, f"{words.count(None)} absent labels", "drop these examples"))
        if like is not None and not classes:
            raise Refusal(
                **_words(argument, label, "words where the training data have numbers", "label both in one way")
            )
        return numbered(words, argument, classes)
    y = array_of(array, label, argument)
    if names and y.numel() and not y.is_floating_point() and int(y.min()) >= 0 and int(y.max()) < len(names):
        return numbered([names[int(number)] for number in y], argument, classes or names)
    if classes:
        raise Refusal(**_words(argument, label, "numbers where the training data have words", "label both in one way"))
    return y, ()


def _whole(column: Any) -> Any:
    array = column.combine_chunks() if isinstance(column, pyarrow.ChunkedArray) else column
    if isinstance(array, pyarrow.ChunkedArray):  # more than one array can hold
        array = pyarrow.concat_arrays(array.chunks)
    if isinstance(array, pyarrow.ExtensionArray):
        array = array.storage
    return array.dictionary_decode() if pyarrow.types.is_dictionary(array.type) else array


def _fixed(kind: Any) -> bool:
    return bool(pyarrow.types.is_fixed_size_list(kind))


def _boolean(kind: Any) -> bool:
    return bool(pyarrow.types.is_boolean(kind))


def _words(argument: str, column: str, held: str, do: str) -> dict[str, str]:
    return {"given": f"{argument} has {held} in its column '{column}'", "expected": "numbers in every row", "do": do}
