"""How a training went: its loss, and the noise of its gradients, step by step."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from heldout.records import Refusal, refuse

COLUMNS = ("step", "train-loss")
OPTIONAL = ("member", "epoch", "gradient-noise")
HOLDS = "a table with columns step and train-loss, and member where there are several networks"


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """A training's history.

    Attributes:
        steps: At which something was recorded, ascending, ``[K]``, int64.
        losses: Mean training loss there, ``[M, K]``, float64; NaN where a member's was not recorded.
        gradient_noise: Trace of the covariance of the examples' gradients there, likewise; None if it never was.
        epoch: Steps of the first epoch; None if they are not known.
    """

    steps: np.ndarray
    losses: np.ndarray
    gradient_noise: np.ndarray | None = None
    epoch: float | None = None


def as_history(given: Any, members: int) -> History:
    """A history from a table.

    Args:
        given: A :class:`History`; or columns by name (a dictionary of arrays, a pandas or Arrow table): ``step`` and ``train-loss``,
            and where they are known ``member`` (from 0), ``epoch`` (epochs that were complete, fractions too) and
            ``gradient-noise``. One row a member and recorded step; empty cells are NaN.
        members: M.

    Returns:
        The history.

    Raises:
        Refusal: If a column is missing or holds something else, all faults together.

    Example:
        >>> as_history({"step": [0, 10], "train-loss": [2.3, 0.1]}, 1).losses.tolist()
        [[2.3, 0.1]]
    """
    if isinstance(given, History):
        if given.losses.shape != (members, len(given.steps)):
            raise Refusal(
                given=f"history has losses for {given.losses.shape[0]} members",
                expected=f"losses for {members}",
                do="pass the history of these networks",
            )
        return given
    columns = _columns(given)
    step, member = columns["step"], columns.get("member", np.zeros(len(columns["step"])))
    refuse([*_faults(step, "step", np.inf), *_faults(member, "member", members)])
    steps, place = np.unique(step.astype(np.int64), return_inverse=True)
    row = member.astype(np.int64)
    cells = row * len(steps) + place
    faults = []
    if len(np.unique(cells)) < len(cells):
        faults.append(
            Refusal(
                given="history has two rows of one member and step",
                expected="one row a member and recorded step",
                do="name the networks in a column member, from 0" if "member" not in columns else "drop one of them",
            )
        )
    if absent := sorted(set(range(members)) - set(row.tolist())):
        faults.append(
            Refusal(
                given=f"history has no row of member {absent[0]}",
                expected=f"a history of each of the {members} networks",
                do="name the networks in a column member, from 0",
            )
        )
    if bool((columns["train-loss"] < 0).any()):
        faults.append(
            Refusal(
                given="history has a negative train-loss", expected="a mean loss", do="pass the training loss itself"
            )
        )
    refuse(faults)

    def table(values: np.ndarray) -> np.ndarray:
        whole = np.full((members, len(steps)), np.nan)
        whole[row, place] = values
        return whole

    noise = columns.get("gradient-noise")
    return History(
        steps, table(columns["train-loss"]), None if noise is None else table(noise), _first_epoch(columns, step)
    )


def history_file(place: str) -> Any:
    """The columns of a history in a file.

    Args:
        place: A ``.csv`` or ``.parquet`` file.

    Returns:
        What :func:`as_history` takes.

    Raises:
        Refusal: If it cannot be read.
    """
    import pyarrow
    import pyarrow.csv
    import pyarrow.parquet

    kind = Path(place).suffix.lower()
    if kind not in (".csv", ".parquet"):
        raise Refusal(given=f"--history was '{place}'", expected=f"a .csv or .parquet file, {HOLDS}", do="convert it")
    try:
        return pyarrow.csv.read_csv(place) if kind == ".csv" else pyarrow.parquet.read_table(place)
    except (pyarrow.ArrowException, OSError, UnicodeDecodeError) as error:
        raise Refusal(
            given=f"--history '{place}' cannot be read ({str(error).splitlines()[0][:120]})",
            expected=f"a whole {kind} file",
            do="check the path, or write it again",
        ) from error


def _columns(given: Any) -> dict[str, np.ndarray]:
    """The columns that are known, float64."""
    names: Sequence[Any] = getattr(given, "column_names", None) or list(given) if hasattr(given, "__getitem__") else ()
    table = not isinstance(given, str) and all(isinstance(name, str) for name in names)
    if not table or any(name not in names for name in COLUMNS):
        shown = f"a table of {', '.join(names[:6])}" if table and names else f"a {type(given).__name__}"
        raise Refusal(given=f"history was {shown}", expected=HOLDS, do="pass history={'step': ..., 'train-loss': ...}")
    columns, faults = {}, []
    for name in (*COLUMNS, *(name for name in OPTIONAL if name in names)):
        try:
            columns[name] = np.asarray(given[name], dtype=np.float64).reshape(-1)
        except (TypeError, ValueError):
            faults.append(
                Refusal(
                    given=f"history has something else than numbers in its column '{name}'",
                    expected="one number a row",
                    do="pass arrays of numbers, one row a member and recorded step",
                )
            )
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1 or 0 in lengths.values():
        said = ", ".join(f"{name} {length}" for name, length in lengths.items())
        faults.append(
            Refusal(
                given=f"history has columns of {said} rows", expected="as many rows in each", do="pass whole columns"
            )
        )
    refuse(faults)
    return columns


def _faults(numbers: np.ndarray, name: str, below: float) -> list[Refusal]:
    right = np.isfinite(numbers) & (numbers == np.round(numbers)) & (numbers >= 0) & (numbers < below)
    if right.all():
        return []
    wrong = numbers[~right][0]
    most = "" if np.isinf(below) else f" below {below:g}, the number of networks"
    return [
        Refusal(
            given=f"history has {name} {wrong:g}", expected=f"whole numbers from 0{most}", do=f"check column {name}"
        )
    ]


def _first_epoch(columns: dict[str, np.ndarray], step: np.ndarray) -> float | None:
    epoch = columns.get("epoch")
    if epoch is None:
        return None
    known = np.isfinite(epoch)
    order = np.argsort(step[known], kind="stable")
    steps, epochs = step[known][order], epoch[known][order]
    if not len(epochs) or epochs.max() < 1 or epochs.min() > 1:
        return None
    return float(np.interp(1.0, np.maximum.accumulate(epochs), steps))
