"""Tables with a label column: Parquet, CSV, and Hugging Face datasets saved to disk, all read as Arrow."""

import json
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.csv
import pyarrow.ipc
import pyarrow.parquet

from heldout.engine.subject.columns import examples_of
from heldout.engine.subject.loaded import Loaded, reason
from heldout.records import Refusal

#: Label columns that are looked for when none is named.
LABELS = ("label", "y", "labels")


def table_file(place: Path, argument: str, label: str = "", like: Loaded | None = None) -> Loaded:
    """Examples from a ``.parquet`` or ``.csv`` file.

    Args:
        place: The file.
        argument: The argument's name.
        label: The label column; empty to look for one.
        like: The training data, whose columns and classes are repeated.

    Returns:
        The examples.

    Raises:
        Refusal: If the file cannot be read or does not hold what was said.
    """
    try:
        with place.open("rb") as file:
            table = _csv(file) if place.suffix.lower() == ".csv" else pyarrow.parquet.read_table(file)
    except (pyarrow.ArrowException, OSError, UnicodeDecodeError) as error:
        raise Refusal(
            given=f"{argument} '{place}' cannot be read ({reason(error)})",
            expected=f"a whole {place.suffix} file",
            do="write it again",
        ) from error
    return examples_of(table, label_column(table.column_names, label, argument), argument, like)


def saved_dataset(folder: Path, argument: str, label: str = "", like: Loaded | None = None) -> Loaded:
    """Examples from a Hugging Face dataset saved to disk; its package is not needed.

    Args:
        folder: What ``Dataset.save_to_disk`` wrote.
        argument: The argument's name.
        label: The label column; empty to look for one.
        like: The training data, whose columns and classes are repeated.

    Returns:
        The examples; labels that were declared as classes keep the names and numbers of the training data.

    Raises:
        Refusal: If it is several splits, or the files are not whole.
    """
    if (folder / "dataset_dict.json").is_file():
        splits = sorted(entry.name for entry in folder.iterdir() if entry.is_dir())
        split = argument if argument in splits or not splits else splits[0]
        raise Refusal(
            given=f"{argument} was '{folder}', which holds the splits {', '.join(splits) or '(none)'}",
            expected="one of them",
            do=f"pass '{folder / split}'",
        )
    try:
        state = json.loads((folder / "state.json").read_text())
        information = json.loads((folder / "dataset_info.json").read_text())
        files = [Path(entry["filename"]).name for entry in state["_data_files"]]  # a name only: none leads elsewhere
        tables = [_arrow(folder / name) for name in files]
        table = pyarrow.concat_tables(tables)
        features = dict(information.get("features") or {})
    except (pyarrow.ArrowException, OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise Refusal(
            given=f"{argument} '{folder}' cannot be read ({reason(error)})",
            expected="a Hugging Face dataset saved to disk, whole",
            do="write it again with save_to_disk",
        ) from error
    if state.get("_indices_data_files") or state.get("_indices_files"):
        raise Refusal(
            given=f"{argument} '{folder}' is a selection of rows that was not written out",
            expected="a dataset whose files hold its own rows",
            do="call flatten_indices() before save_to_disk",
        )
    column = label_column(table.column_names, label, argument)
    feature = features.get(column)
    names = feature.get("names") if isinstance(feature, dict) and feature.get("_type") == "ClassLabel" else None
    return examples_of(table, column, argument, like, tuple(names or ()))


def label_column(columns: list[str], label: str, argument: str) -> str:
    """The label column.

    Args:
        columns: Of the table.
        label: As the user named it; empty to look for one of :data:`LABELS`.
        argument: The argument's name.

    Returns:
        Its name.

    Raises:
        Refusal: If there is none, or more than one could be meant.

    Example:
        >>> label_column(["width", "y"], "", "train")
        'y'
    """
    found = [name for name in ((label,) if label else LABELS) if name in columns]
    if len(found) == 1:
        return found[0]
    shown = ", ".join(columns[:6]) + (", ..." if len(columns) > 6 else "")
    wanted = f"no column '{label}'" if label else f"{'no' if not found else 'more than one'} label column"
    raise Refusal(
        given=f"{argument} has {wanted} among {shown or 'none'}",
        expected=f"one of its columns{'' if label else ', or one called ' + ' or '.join(LABELS)}",
        do="name it with --label",
    )


def _csv(file: Any) -> Any:
    # Otherwise an empty cell of a column of words would be a word, and an absent label a class of its own.
    return pyarrow.csv.read_csv(file, convert_options=pyarrow.csv.ConvertOptions(strings_can_be_null=True))


def _arrow(place: Path) -> Any:
    with pyarrow.memory_map(str(place)) as source:
        try:
            return pyarrow.ipc.open_stream(source).read_all()
        except pyarrow.ArrowInvalid:
            return pyarrow.ipc.open_file(source).read_all()
