"""TensorBoard's event files, by our own few lines: no TensorBoard, no TensorFlow, no code that came with the file.

Most records of a file look alike: the same tag and another step, time and number. So records of one length are read together.
One of them is read in full, which says where step, time and numbers stand; all others that agree with it everywhere
else are then read at once.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from heldout.engine.numerics.domain import Floats
from heldout.engine.watching.logs.events import Event, event_of
from heldout.engine.watching.logs.framing import CHECKED, frames, gathered
from heldout.engine.watching.logs.scalars import Log, Series, series_of
from heldout.records import Refusal

Bytes = NDArray[np.uint8]
Places = NDArray[np.int64]
ALONE = 20  # records unlike all others of their length, after which the rest of that length is read one by one
BLOCK = 1 << 24  # bytes of records that are looked at together
#: Record, step, time and value of one tag.
Part = tuple[Places, Places, Floats, Floats]


def read(path: Path, step: str = "") -> Log:
    """The scalars of an event file, up to the last whole record.

    Both kinds: numbers (``simple_value``), and tensors without dimensions as TensorFlow 2 and ``add_scalar(new_style=True)`` write.
    Histograms, pictures, words and graphs are passed over; so is any record of more than a megabyte.

    Args:
        path: The file.
        step: Of no meaning here: events have a step of their own.

    Returns:
        The log; a note says what could not be read.

    Raises:
        Refusal: If the file holds no whole event.
    """
    data = path.read_bytes()
    found = frames(data)
    if not len(found.start):
        what = "is empty" if not data else "holds no whole record with a right checksum"
        raise Refusal(given=f"'{path.name}' {what}", expected="an event file of TensorBoard", do="pass another file")
    notes = []
    if found.damage == "damaged":
        notes.append(
            f"{path.name}: damaged after {found.end:,} bytes; the {len(data) - found.end:,} behind were not read."
        )
    parts: dict[str, list[Part]] = {}
    small = found.length <= CHECKED
    for length in np.unique(found.length[small]).tolist():
        records = np.flatnonzero(small & (found.length == length))
        for block in np.array_split(records, 1 + len(records) * length // BLOCK):
            for name, part in _alike(data, found.start, block, length):
                parts.setdefault(name, []).append(part)
    return Log({name: _series(each) for name, each in sorted(parts.items())}, tuple(notes))


def _series(parts: list[Part]) -> Series:
    record, step, time, value = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.argsort(record, kind="stable")
    right = order[step[order] >= 0]
    return series_of(step[right], value[right], time[right])


def _alike(data: bytes, start: Places, records: Places, length: int) -> Iterator[tuple[str, Part]]:
    """The scalars of records of one length, by structures."""
    rows = gathered(np.frombuffer(data, dtype=np.uint8), start[records], length)
    left, alone = np.arange(len(records)), 0
    while len(left):
        if alone >= ALONE:
            for row in left.tolist():
                place = int(start[records[row]])
                yield from _one(event_of(data, place, place + length), int(records[row]))
            return
        base = int(start[records[left[0]]])
        event = event_of(data, base, base + length)
        mask = _fixed(event, base, length)
        groups = _groups(rows[left] & mask)
        taken = np.zeros(len(left), dtype=bool)
        for group in groups:
            place = int(start[records[left[group[0]]]])
            other = event if group[0] == 0 else event_of(data, place, place + length)
            if group[0] == 0 or bool((_fixed(other, place, length) == mask).all()):
                taken[group] = True
                yield from _many(other, place, rows[left[group]], records[left[group]])
        alone += int(taken.sum() == 1)
        left = left[~taken]


def _fixed(event: Event, base: int, length: int) -> Bytes:
    """Bits of a record that make its structure and its tags: all but those of step, time and numbers."""
    mask = np.full(length, 0xFF, dtype=np.uint8)
    mask[event.step_at[0] - base : event.step_at[1] - base] = 0x80  # which says whether a further byte follows
    if event.time_at >= 0:
        mask[event.time_at - base : event.time_at - base + 8] = 0
    for scalar in event.scalars:
        if scalar.begin >= 0:
            mask[scalar.begin - base : scalar.begin - base + np.dtype(scalar.format).itemsize] = 0
    return mask


def _groups(rows: Bytes) -> list[Places]:
    """Equal rows together: by a sum with fixed odd weights, then compared, so that no two that differ are taken for equal."""
    draw = np.random.Generator(np.random.PCG64(0))
    weights = (2 * draw.integers(2**62, size=rows.shape[1]) + 1).tolist()
    sums = np.zeros(len(rows), dtype=np.uint64)
    for column in range(rows.shape[1]):
        sums += rows[:, column].astype(np.uint64) * np.uint64(weights[column])
    _, first, place = np.unique(sums, return_index=True, return_inverse=True)
    same = (rows == rows[first[place]]).all(-1)
    order = np.argsort(place[same], kind="stable")
    members = np.flatnonzero(same)[order]
    return np.split(members, np.flatnonzero(np.diff(place[same][order])) + 1)


def _many(event: Event, base: int, rows: Bytes, records: Places) -> Iterator[tuple[str, Part]]:
    """Scalars of records that differ in step, time and numbers alone."""
    begin, end = (place - base for place in event.step_at)
    shifts = 7 * np.arange(end - begin, dtype=np.uint64)
    steps = ((rows[:, begin:end] & 0x7F).astype(np.uint64) << shifts).sum(-1, dtype=np.uint64).view(np.int64)
    times = np.full(len(rows), np.nan) if event.time_at < 0 else _reals(rows, event.time_at - base, "<f8")
    for scalar in event.scalars:
        values = np.full(len(rows), scalar.value)
        if scalar.begin >= 0:
            values = _reals(rows, scalar.begin - base, scalar.format)
        yield scalar.name, (records, steps, times, values)


def _reals(rows: Bytes, begin: int, kind: str) -> Floats:
    size = np.dtype(kind).itemsize
    return rows[:, begin : begin + size].copy().view(kind)[:, 0].astype(np.float64)


def _one(event: Event, record: int) -> Iterator[tuple[str, Part]]:
    for scalar in event.scalars:
        yield (
            scalar.name,
            (np.array([record]), np.array([event.step]), np.array([event.time]), np.array([scalar.value])),
        )
