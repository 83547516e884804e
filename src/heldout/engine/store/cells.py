"""Cells: tables named by the content of the work that makes them. What is there is never computed again."""

import hashlib
import io
import json
from typing import TYPE_CHECKING, Any

from heldout.engine.store.segments import publish
from heldout.engine.store.store import Store

if TYPE_CHECKING:
    import pandas


def address(**work: Any) -> str:
    """The name of a piece of work: the same work has the same name everywhere.

    Args:
        **work: Everything that decides its result, plain values.

    Returns:
        Twenty hexadecimal digits.

    Example:
        >>> address(study="a", seed=0) == address(seed=0, study="a")
        True
    """
    text = json.dumps(work, sort_keys=True, ensure_ascii=False, allow_nan=True, default=repr)
    return hashlib.sha256(text.encode()).hexdigest()[:20]


def read_cell(store: Store, name: str) -> "pandas.DataFrame | None":
    """A finished cell.

    Args:
        store: Where.
        name: Its address.

    Returns:
        Its table; None if nobody has finished it.
    """
    import pandas

    try:
        content = store.files.cat_file(_path(store, name))
    except (FileNotFoundError, NotADirectoryError):
        return None
    return pandas.read_parquet(io.BytesIO(content))


def keep_cell(store: Store, name: str, table: "pandas.DataFrame") -> None:
    """Keep a finished cell, whole; two writers of one cell write the same bytes.

    Args:
        store: Where.
        name: Its address.
        table: Its rows.
    """
    buffer = io.BytesIO()
    table.to_parquet(buffer, index=False)
    store.begin()
    publish(store.files, _path(store, name), buffer.getvalue())


def _path(store: Store, name: str) -> str:
    return f"{store.path}/cells/{name}.parquet"
