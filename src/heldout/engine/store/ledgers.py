"""Ledgers: tables of networks with their hyper-parameters, measures and targets, as ``heldout judge`` makes and reads them."""

import io
from typing import TYPE_CHECKING

from heldout.engine.store.segments import publish
from heldout.engine.store.store import Store

if TYPE_CHECKING:
    import pandas


def keep_ledger(store: Store, name: str, table: "pandas.DataFrame") -> str:
    """Write a ledger.

    Args:
        store: Where.
        name: Its address.
        table: One row a network.

    Returns:
        Its path inside the store.
    """
    buffer = io.BytesIO()
    table.to_parquet(buffer, index=False)
    store.begin()
    path = f"{store.path}/ledgers/{name}.parquet"
    publish(store.files, path, buffer.getvalue())
    return path
