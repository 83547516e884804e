"""A ledger: one row a network, with its hyper-parameters, its readings and how it did on data it had not seen."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from heldout.catalog import units
from heldout.engine.judging.design import Design, Floats, designed
from heldout.records import Direction, Refusal

if TYPE_CHECKING:
    import pandas

#: Target -> the column it is read from, and the sign that makes larger mean more error.
TARGETS = {
    "gap": ("gap", 1.0),
    "accuracy": ("accuracy", -1.0),
    "loss": ("loss", 1.0),
    "shift-accuracy": ("shift_accuracy", -1.0),
}
#: What every measure should beat -> a column that may hold it where there is no measure of that name.
BASELINES = {"params": "parameters", "train-loss": "train_loss"}
EMPTY = "no network of the ledger has a value"
ROW = "one row a network, columns hp.<name>, seed, measure.<name>, gap (or accuracy, loss, shift_accuracy), test_size"


@dataclass(frozen=True, eq=False)
class Ledger:
    """N networks and K measures.

    Attributes:
        hyper_parameters: Name -> values ``[N]``.
        measures: Name -> values ``[N]``, NaN where a network has none.
        directions: Name -> what a larger value promises; measures that nobody declared are missing here.
        target: What is to be predicted, in words.
        errors: The target turned so that larger means more error, ``[N]``.
        test_size: Examples behind each target; infinite if they are not known or targets are exact.
        noise: Variance of the measured target about the exact one, of an average network; NaN where nobody knows it.
        absent: Name of a measure -> why no network has a value of it.
        name: Where it came from.
    """

    hyper_parameters: Mapping[str, Any]
    measures: Mapping[str, Floats]
    directions: Mapping[str, Direction]
    target: str
    errors: Floats
    test_size: float = np.inf
    noise: float = 0.0
    absent: Mapping[str, str] = field(default_factory=dict)
    name: str = "ledger"
    design: Design = field(init=False)

    def __post_init__(self) -> None:
        """Make the design."""
        object.__setattr__(self, "design", designed({k: np.asarray(v) for k, v in self.hyper_parameters.items()}))

    def take(self, rows: np.ndarray) -> "Ledger":
        """Some of the networks.

        Args:
            rows: Their indices.

        Returns:
            Their ledger.
        """
        return replace(
            self,
            hyper_parameters={name: np.asarray(values)[rows] for name, values in self.hyper_parameters.items()},
            measures={name: values[rows] for name, values in self.measures.items()},
            errors=self.errors[rows],
        )

    def complete(self) -> Iterator["Ledger"]:
        """Parts in which every measure has a value for every network: measures are grouped by the networks that they have.

        Yields:
            A ledger for each such group, of measures that have at least two networks.
        """
        groups: dict[bytes, list[str]] = {}
        for name, values in self.measures.items():
            groups.setdefault(np.isfinite(values).tobytes(), []).append(name)
        for present, names in groups.items():
            rows = np.flatnonzero(np.frombuffer(present, dtype=bool))
            if len(rows) > 1:
                yield replace(self.take(rows), measures={name: self.measures[name][rows] for name in names})

    def oriented(self) -> Floats:
        """Measures turned so that larger promises more error; those without a direction are left as they are.

        Returns:
            ``[K, N]``.
        """
        signs = [-1.0 if self.directions.get(name) is Direction.HIGHER_IS_BETTER else 1.0 for name in self.measures]
        return np.stack([sign * values for sign, values in zip(signs, self.measures.values(), strict=True)])


def read_ledger(source: str, *, target: str = "gap", directions: Mapping[str, Direction] | None = None) -> Ledger:
    """Read a Parquet or CSV table.

    Args:
        source: Its path.
        target: ``gap``, ``accuracy``, ``loss`` or ``shift-accuracy``.
        directions: Name of a measure -> its direction.

    Returns:
        The ledger; what cannot be read, or is no ledger, is refused.
    """
    return as_ledger(read_table(source), target=target, directions=directions, name=Path(source).name)


def read_table(source: str) -> "pandas.DataFrame":
    """Read a Parquet or CSV table, whatever is in it.

    Args:
        source: Its path.

    Returns:
        The table.

    Raises:
        Refusal: If it cannot be read.
    """
    import pandas

    place = Path(source)
    if not place.is_file() or place.suffix.lower() not in (".parquet", ".csv"):
        raise Refusal(given=f"--ledger was '{source}'", expected="a .parquet or .csv file", do="check the path")
    try:
        return pandas.read_parquet(place) if place.suffix.lower() == ".parquet" else pandas.read_csv(place)
    except (OSError, ValueError, pandas.errors.ParserError) as error:
        reason = str(error).strip().splitlines()[0][:150] if str(error).strip() else type(error).__name__
        raise Refusal(
            given=f"--ledger '{source}' cannot be read ({reason})", expected="a whole table", do="write it again"
        ) from error


def as_ledger(
    table: "pandas.DataFrame",
    *,
    target: str = "gap",
    directions: Mapping[str, Direction] | None = None,
    absent: Mapping[str, str] | None = None,
    name: str = "table",
) -> Ledger:
    """A table as a ledger.

    Networks whose target is missing are left out. ``seed`` is no hyper-parameter: networks that differ in it alone are one
    configuration.

    Args:
        table: One row a network.
        target: ``gap``, ``accuracy``, ``loss`` or ``shift-accuracy``.
        directions: Name of a measure -> its direction; the catalog's are known.
        absent: Measures that the table lacks -> why.
        name: Where it came from.

    Returns:
        The ledger.

    Raises:
        Refusal: If columns are missing, values are no numbers, or fewer than four networks are left.
    """
    if target not in TARGETS:
        raise Refusal(given=f"--target was '{target}'", expected=f"one of {', '.join(TARGETS)}", do="correct the name")
    column, sign = TARGETS[target]
    wanted = {"hp.": "hyper-parameters", "measure.": "measures"}
    missing = [words for start, words in wanted.items() if not any(str(c).startswith(start) for c in table.columns)]
    if column not in table.columns:
        missing.append(f"column '{column}'")
    if missing:
        have = ", ".join(map(str, table.columns[:8]))
        raise Refusal(
            given=f"the ledger '{name}' has no {' and no '.join(missing)} (it has {have})",
            expected=ROW,
            do="name its columns so",
        )
    goal = numbers(table[column], column, name)
    table, goal = table[np.isfinite(goal)], goal[np.isfinite(goal)]
    if len(table) < 4:
        given = f"the ledger '{name}' has {len(table)} networks with a {column}"
        raise Refusal(given=given, expected="at least 4", do="add networks")
    sizes = numbers(table["test_size"], "test_size", name) if "test_size" in table.columns else np.array([np.inf])
    if (sizes <= 0).any():
        raise Refusal(
            given=f"the ledger '{name}' has a test_size of {np.nanmin(sizes):g}",
            expected="numbers of test examples above 0, empty where nobody knows",
            do="correct the column",
        )
    measures = {str(c)[8:]: numbers(table[c], str(c), name) for c in table.columns if str(c).startswith("measure.")}
    for key, column_of in BASELINES.items():
        if key not in measures and column_of in table.columns:
            measures[key] = numbers(table[column_of], column_of, name)
    empty = {key: EMPTY for key, values in measures.items() if not np.isfinite(values).any()}
    size = float(np.nanmin(sizes)) if np.isfinite(sizes).any() else np.inf
    catalogued = {key: unit.direction for key, unit in units("measure").items() if key in measures}
    return Ledger(
        hyper_parameters={str(c)[3:]: table[c].to_numpy() for c in table.columns if str(c).startswith("hp.")},
        measures={key: np.where(np.isfinite(values), values, np.nan) for key, values in measures.items()},
        directions={**catalogued, **(directions or {})},
        target=target,
        errors=sign * goal,
        test_size=size,
        noise=_noise(target, goal, table, size, name),
        absent=empty | dict(absent or {}),
        name=name,
    )


def _noise(target: str, goal: Floats, table: "pandas.DataFrame", size: float, name: str) -> float:
    """Binomial variance of an accuracy on so many examples; a gap has that of its test accuracy, known or taken from the gap."""
    if np.isinf(size):
        return 0.0
    regression = "accuracy" not in table.columns and "loss" in table.columns  # its gap is one of losses
    if target == "loss" or (target == "gap" and regression):
        return np.nan
    share = np.abs(goal)
    if target == "gap":
        share = numbers(table["accuracy"], "accuracy", name) if "accuracy" in table.columns else share
    share = np.clip(share[np.isfinite(share)], 0.0, 1.0)
    return float(np.maximum(share * (1 - share), 1 / size).mean() / size) if len(share) else np.nan


def numbers(column: "pandas.Series", called: str, name: str) -> Floats:
    """A column as numbers, NaN where it is empty.

    Args:
        column: Of a table.
        called: Its name.
        name: The table's.

    Returns:
        ``[N]``.

    Raises:
        Refusal: If a value is no number.
    """
    import pandas

    try:
        return np.asarray(pandas.to_numeric(column), dtype=np.float64)
    except (ValueError, TypeError) as error:
        raise Refusal(
            given=f"column '{called}' of the ledger '{name}' has what is no number ({str(error)[:80]})",
            expected="numbers, empty where there is none",
            do="correct the column",
        ) from error
