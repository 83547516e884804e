"""The table that ships: one row a network, made by the study ``atlas`` at laptop size."""

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas

HYPER_PARAMETERS = ("task", "width", "depth", "rate", "batch", "decay", "noise", "size")
#: Networks that agree in these are one cell: they differ in how they were optimised, and in their seed.
CELL = ("task", "width", "depth", "noise", "size")
TARGETS = ("train_accuracy", "accuracy", "loss", "gap", "test_size", "updates")
FILE = "networks.parquet"
FEWEST = 0.1  # share of the networks that must have a reading for it to ship


@cache
def atlas_table() -> "pandas.DataFrame":
    """The networks of the atlas.

    Returns:
        Columns ``hp.<name>``, ``seed``, ``part`` (what its recipe varied), ``train_accuracy``, ``accuracy``, ``loss``, ``gap``,
        ``test_size``, ``updates``, ``context.<name>`` and ``measure.<name>``, NaN where a network has no such reading.
    """
    import pandas

    with files("heldout.atlas").joinpath(FILE).open("rb") as file:
        return pandas.read_parquet(file)


def shipped(table: "pandas.DataFrame") -> "pandas.DataFrame":
    """The study's table in the form that ships.

    Args:
        table: Of the study ``atlas``.

    Returns:
        The ledger: hyper-parameters by their names, numbers in single precision, readings that few networks have left out.
    """
    import pandas

    table = table.sort_values(
        "vary", key=lambda part: part != "recipe", kind="stable"
    )  # of a repeated network its row stays
    columns = [str(name) for name in table if str(name).startswith(("measure.", "context."))]
    read = [name for name in columns if table[name].notna().mean() >= FEWEST]
    plain: dict[str, pandas.Series] = {f"hp.{name}": table[name] for name in HYPER_PARAMETERS}
    numbers = {name: table[name].astype("float32") for name in (*TARGETS, *read)}
    made = pandas.DataFrame({**plain, "seed": table["member"], "part": table["vary"], **numbers})
    repeated = made.duplicated([*plain, "seed"])  # the two parts of the design meet in a few recipes
    return made[~repeated].reset_index(drop=True)


def cells_of(table: "pandas.DataFrame") -> NDArray[np.int64]:
    """Numbers of the groups within which networks are alike.

    Args:
        table: A ledger, the atlas or anybody's.

    Returns:
        ``[N]``: of the atlas architecture and data; of another ledger all hyper-parameters together.
    """
    names = [str(name) for name in table if str(name).startswith("hp.")]
    own = [f"hp.{name}" for name in CELL]
    used = own if set(own) <= set(names) else names
    return np.asarray(table.groupby(used, sort=True, dropna=False).ngroup(), dtype=np.int64)
