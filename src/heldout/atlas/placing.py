"""Where a network's readings lie among those of the atlas, where that means anything."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from heldout.catalog import units

if TYPE_CHECKING:
    import pandas

#: Facts of a network and its data that decide whether readings can be compared: column of the atlas -> words.
SIZES = {
    "measure.params": "parameters",
    "context.examples": "training examples",
    "context.classes": "classes",
    "context.inputs": "numbers an input",
}
LOSS = "measure.train-loss"
LOSS_SLACK = (
    2.0  # times the largest training loss of the atlas: readings of a network still in training mean something else
)


@dataclass(frozen=True, slots=True)
class Placement:
    """Readings on the atlas.

    Attributes:
        networks: Of the atlas.
        reasons: Why readings that depend on sizes are not placed; empty where they are.
        rows: Name, member, percentile (share of the atlas's networks with a smaller reading, ties counting half, times 100).
        left_out: Name of a reading -> why it has no percentile.
    """

    networks: int
    reasons: tuple[str, ...]
    rows: tuple[Mapping[str, Any], ...]
    left_out: Mapping[str, str]

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for the record."""
        return {
            "networks": self.networks, "reasons": list(self.reasons), "rows": [dict(row) for row in self.rows],
            "left_out": dict(self.left_out),
        }  # fmt: skip


def placement(
    readings: Mapping[str, Sequence[float | None]], facts: Mapping[str, float | None], table: "pandas.DataFrame"
) -> Placement:
    """Percentiles of the readings that can be compared.

    A reading between two declared bounds (a share, a probability) is compared wherever the networks are fitted as the atlas's are.
    One without depends on the sizes of network and data, and is compared only if those lie within the atlas's.

    Args:
        readings: Name -> one value a member, None where there is none.
        facts: Column of :data:`SIZES` and of the training loss -> the largest value over members.
        table: The atlas.

    Returns:
        The placement.
    """
    sizes = tuple(outside(facts, table, SIZES))
    loss = facts.get(LOSS)
    most = float(table[LOSS].max()) * LOSS_SLACK
    unfitted = loss is None or not loss <= most
    known = units("measure")
    rows: list[Mapping[str, Any]] = []
    left_out: dict[str, str] = {}
    for name, values in readings.items():
        column = f"measure.{name}"
        if column not in table or name not in known or all(value is None for value in values):
            continue
        if unfitted:
            left_out[name] = (
                f"the atlas's networks have a training loss of at most {most / LOSS_SLACK:.2g}, this one {_said(loss)}"
            )
        elif sizes and not np.isfinite(known[name].fields["range"]).all():
            left_out[name] = sizes[0]
        else:
            column_values = np.sort(table[column].dropna().to_numpy(dtype=np.float32))
            rows += [
                {"name": name, "member": member, "percentile": _percentile(column_values, value)}
                for member, value in enumerate(values)
                if value is not None and len(column_values)
            ]
    return Placement(len(table), sizes, tuple(rows), left_out)


def outside(facts: Mapping[str, float | None], table: "pandas.DataFrame", names: Mapping[str, str]) -> list[str]:
    """In which facts a network lies outside of a table.

    Args:
        facts: Column -> value; None where it is not known.
        table: The atlas, or another ledger; a column that it lacks says nothing.
        names: Column -> words.

    Returns:
        One sentence a fact.
    """
    found = []
    for column, words in names.items():
        value = facts.get(column)
        if value is None or column not in table:
            continue
        low, high = float(table[column].min()), float(table[column].max())
        if low <= high and not low <= value <= high:  # of a column without any number both are NaN
            span = f"{low:,.0f}" if low == high else f"{low:,.0f} to {high:,.0f}"
            found.append(f"{value:,.0f} {words}, where the known networks have {span}")
    return found


def _percentile(ordered: np.ndarray, value: float) -> float:
    with np.errstate(over="ignore"):  # what is larger than any single is above them all
        single = np.float32(value)  # as the table holds it
    return (
        50.0
        * float(np.searchsorted(ordered, single, "left") + np.searchsorted(ordered, single, "right"))
        / len(ordered)
    )


def _said(loss: float | None) -> str:
    return "an unknown one" if loss is None else f"{loss:.2g}"
