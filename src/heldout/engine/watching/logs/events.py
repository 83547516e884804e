"""One event of TensorBoard: its step, its time, and the scalars in it, with the places where they stand."""

import math
import struct
from typing import NamedTuple

from heldout.engine.watching.logs.wire import Field, fields, real, signed, varint

#: TensorProto.dtype -> how its bytes are read; other types are words and pictures.
KINDS = {1: "<f", 2: "<d", 3: "<i", 9: "<q", 19: "<e"}
#: The fields of a TensorProto that hold single numbers, packed or not: float_val, double_val.
REALS = {5: "<f", 6: "<d"}
INTEGERS = (7, 10)  # int_val, int64_val
HALVES, BFLOAT = 13, 14  # half_val; DT_BFLOAT16, whose bits are the upper half of a float


class Scalar(NamedTuple):
    """A number in an event.

    Attributes:
        name: Tag, as written.
        value: The number.
        begin: Where its bytes are; -1 where they are no float or double as it stands.
        format: How its bytes are read.
    """

    name: str
    value: float
    begin: int
    format: str


class Event(NamedTuple):
    """What one record says.

    Attributes:
        step: 0 where it is left out.
        time: Seconds of the clock; NaN where it is left out.
        scalars: In their order.
        step_at: Begin and end of the step's bytes; equal where it is left out.
        time_at: Where the time's eight bytes begin; -1 where it is left out.
    """

    step: int
    time: float
    scalars: tuple[Scalar, ...]
    step_at: tuple[int, int]
    time_at: int


def event_of(data: bytes, begin: int, end: int) -> Event:
    """Read a record.

    Args:
        data: The file.
        begin: Where the record begins.
        end: Where it ends.

    Returns:
        The event.

    Example:
        Step 3, one summary of one value, whose tag is "a" and which is 1.0.

        >>> data = bytes([0x10, 3, 0x2A, 10, 0x0A, 8, 0x0A, 1]) + b"a" + bytes([0x15, 0, 0, 0x80, 0x3F])
        >>> event = event_of(data, 0, len(data))
        >>> event.step, event.scalars[0].name, event.scalars[0].value
        (3, 'a', 1.0)
    """
    step, time, step_at, time_at = 0, math.nan, (begin, begin), -1
    scalars: list[Scalar] = []
    for field in fields(data, begin, end):
        if (field.number, field.kind) == (1, 1):
            time, time_at = real(data, field), field.begin
        elif (field.number, field.kind) == (2, 0):
            step, step_at = signed(field.number_value), (field.begin, field.end)
        elif (field.number, field.kind) == (5, 2):
            for value in fields(data, field.begin, field.end):
                found = _scalar(data, value) if (value.number, value.kind) == (1, 2) else None
                if found is not None:
                    scalars.append(found)
    return Event(step, time, tuple(scalars), step_at, time_at)


def _scalar(data: bytes, value: Field) -> Scalar | None:
    """A Summary.Value that is a scalar, old style (simple_value) or new (a tensor without dimensions)."""
    name, number = "", None
    for field in fields(data, value.begin, value.end):
        if (field.number, field.kind) == (1, 2):
            name = data[field.begin : field.end].decode("utf-8", "replace")
        elif (field.number, field.kind) == (2, 5):
            number = (real(data, field), field.begin, "<f")
        elif (field.number, field.kind) == (8, 2):
            number = _tensor(data, field)
    return None if number is None or not name else Scalar(name, *number)


def _tensor(data: bytes, tensor: Field) -> tuple[float, int, str] | None:
    """The number in a TensorProto without dimensions, where its bytes begin and how they are read."""
    kind, found = 0, None
    for field in fields(data, tensor.begin, tensor.end):
        size = field.end - field.begin
        if (field.number, field.kind) == (1, 0):
            kind = field.number_value
        elif (field.number, field.kind) == (2, 2) and size:
            return None  # it has a dimension
        elif (field.number, field.kind) == (4, 2) and kind in KINDS and size == struct.calcsize(KINDS[kind]):
            floating = kind in (1, 2)
            number = float(struct.unpack_from(KINDS[kind], data, field.begin)[0])
            found = (number, field.begin if floating else -1, KINDS[kind])
        elif field.number in REALS and field.kind != 0 and size == struct.calcsize(REALS[field.number]):
            found = (
                float(struct.unpack_from(REALS[field.number], data, field.begin)[0]),
                field.begin,
                REALS[field.number],
            )
        elif field.number in (*INTEGERS, HALVES):
            bits = _only_number(data, field)
            if bits is not None:
                found = (_half(bits, kind) if field.number == HALVES else float(signed(bits)), -1, "")
    return found


def _only_number(data: bytes, field: Field) -> int | None:
    """A whole number that stands alone, or as the only one of a packed list."""
    if field.kind == 0:
        return field.number_value
    number, end = varint(data, field.begin, field.end)
    return number if end == field.end else None


def _half(bits: int, kind: int) -> float:
    """A number of sixteen bits, IEEE's or the upper half of a float."""
    if kind == BFLOAT:
        return float(struct.unpack("<f", struct.pack("<I", (bits & 0xFFFF) << 16))[0])
    return float(struct.unpack("<e", struct.pack("<H", bits & 0xFFFF))[0])
