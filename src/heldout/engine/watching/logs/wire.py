"""The wire format of protocol buffers, as much of it as an event file needs."""

import struct
from collections.abc import Iterator
from typing import NamedTuple

from heldout.records import Refusal


class Field(NamedTuple):
    """One field of a message.

    Attributes:
        number: Of the field.
        kind: Wire type: 0 whole number, 1 eight bytes, 2 a length and as many bytes, 5 four bytes.
        begin: Where its content begins.
        end: Where it ends.
        number_value: Of kind 0: the number; 0 otherwise.
    """

    number: int
    kind: int
    begin: int
    end: int
    number_value: int


def fields(data: bytes, begin: int, end: int) -> Iterator[Field]:
    """The fields of a message.

    Args:
        data: The file.
        begin: Where the message begins.
        end: Where it ends.

    Yields:
        One after the other.

    Raises:
        _broken: A refusal, if it is no message.

    Example:
        >>> [field[:2] + (field.number_value,) for field in fields(bytes([0x10, 0x96, 0x01]), 0, 3)]
        [(2, 0, 150)]
    """
    while begin < end:
        key, begin = varint(data, begin, end)
        number, kind, value = key >> 3, key & 7, 0
        if kind == 0:
            value, stop = varint(data, begin, end)
        elif kind in (1, 5):
            stop = begin + (8 if kind == 1 else 4)
        elif kind == 2:
            size, begin = varint(data, begin, end)
            stop = begin + size
        else:
            raise _broken()
        if stop > end:
            raise _broken()
        yield Field(number, kind, begin, stop, value)
        begin = stop


def varint(data: bytes, place: int, end: int) -> tuple[int, int]:
    """A whole number of up to ten bytes, seven bits each, the low ones first.

    Args:
        data: The file.
        place: Where it begins.
        end: Of the message.

    Returns:
        The number and where it ends.

    Raises:
        _broken: A refusal, if it does not end.
    """
    number = shift = 0
    while place < end and shift < 70:
        byte = data[place]
        place += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, place
        shift += 7
    raise _broken()


def signed(number: int) -> int:
    """An int64 from its two's complement.

    Args:
        number: 64 bits.

    Returns:
        The number.
    """
    number &= (1 << 64) - 1
    return number - (1 << 64) if number >> 63 else number


def real(data: bytes, field: Field) -> float:
    """A float or double.

    Args:
        data: The file.
        field: Of kind 1 or 5.

    Returns:
        The number.
    """
    return float(struct.unpack_from("<d" if field.kind == 1 else "<f", data, field.begin)[0])


def _broken() -> Refusal:
    return Refusal(
        given="a record of the event file is no protocol buffer",
        expected="TensorBoard's events",
        do="pass another file",
    )
