"""CSV: Lightning's ``metrics.csv`` with its empty cells, Keras' CSVLogger, and any table with a column of steps."""

import csv
from pathlib import Path

from heldout.engine.watching.logs.lines import whole_lines
from heldout.engine.watching.logs.rows import log_of
from heldout.engine.watching.logs.scalars import Log
from heldout.records import Refusal

DELIMITERS = ",;\t"


def read(path: Path, step: str = "") -> Log:
    """The scalars of a table.

    A row of more or fewer cells than the header is passed over, and counted in a note: a training that was stopped and taken up
    again may have left one.

    Args:
        path: The file.
        step: The column of the step; found by its name unless given.

    Returns:
        The log.

    Raises:
        Refusal: If it is no table with steps and numbers.
    """
    lines = whole_lines(path)
    if not lines:
        raise Refusal(
            given=f"'{path.name}' has no whole line", expected="a header and rows", do="wait for its first rows"
        )
    delimiter = max(DELIMITERS, key=lines[0].count)
    try:
        header, *cells = csv.reader(lines, delimiter=delimiter)
    except csv.Error as error:
        raise Refusal(
            given=f"'{path.name}' is no table ({error})", expected="a CSV file", do="pass another file"
        ) from None
    names = [name.strip() for name in header]
    rows = [row for row in cells if len(row) == len(names)]
    if len(set(names)) < len(names):
        raise Refusal(
            given=f"'{path.name}' has two columns of one name",
            expected="a name for each column",
            do="rename one of them",
        )
    return log_of((dict(zip(names, row, strict=True)) for row in rows), path.name, step, len(cells) - len(rows))
