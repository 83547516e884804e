"""TFRecord frames: lengths, and the checksums (CRC-32C, masked) that guard them.

A frame is ``length: uint64, crc(length): uint32, data, crc(data): uint32``, little-endian. The mask
``((crc >> 15) | (crc << 17)) + 0xa282ead8`` (mod 2^32) keeps a checksum of data that hold checksums from being trivial.
"""

import struct
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint32]
HEADER, FOOTER = 12, 4
CHECKED = (
    1 << 20
)  # bytes; longer records hold pictures and graphs, whose frame is checked and whose content is not looked at
TOGETHER = 8  # records of one length from which on a step of all of them is cheaper than a loop over each


def _table() -> Words:
    """Remainders of all bytes by the Castagnoli polynomial, reflected."""
    rest = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        rest = np.where(rest & 1, (rest >> 1) ^ np.uint32(0x82F63B78), rest >> 1)
    return rest


_TABLE = _table()
_LIST = _TABLE.tolist()


class Frames(NamedTuple):
    """Whole, undamaged records of a file.

    Attributes:
        start: Where the data of each begin.
        length: Of the data, bytes.
        end: Where the last whole record ends.
        damage: What is wrong behind it; empty if nothing, ``"cut"`` if the file ends within a record.
    """

    start: NDArray[np.int64]
    length: NDArray[np.int64]
    end: int
    damage: str


def masked_crc(data: bytes) -> int:
    """The checksum that stands in a frame.

    Args:
        data: Any.

    Returns:
        32 bits.

    Example:
        >>> hex(masked_crc(b"123456789"))  # CRC-32C of these nine is 0xe3069283
        '0xc78ab0e5'
    """
    rest = 0xFFFFFFFF
    for byte in data:
        rest = _LIST[(rest ^ byte) & 0xFF] ^ (rest >> 8)
    rest ^= 0xFFFFFFFF
    return (((rest >> 15) | (rest << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def masked_crcs(rows: NDArray[np.uint8]) -> Words:
    """The checksums of many records of one length.

    Args:
        rows: ``[R, length]``.

    Returns:
        ``[R]``.
    """
    rest = np.full(len(rows), 0xFFFFFFFF, dtype=np.uint32)
    for column in np.ascontiguousarray(rows.T):
        rest = _TABLE[(rest ^ column) & 0xFF] ^ (rest >> 8)
    rest ^= np.uint32(0xFFFFFFFF)
    return (((rest >> 15) | (rest << 17)) + np.uint32(0xA282EAD8)).astype(np.uint32)


def frames(data: bytes) -> Frames:
    """The records of a file, up to the first that is cut off or damaged.

    Args:
        data: The file.

    Returns:
        Where they are.
    """
    starts, lengths, place, damage = [], [], 0, ""
    unpack, size = struct.Struct("<Q").unpack_from, len(data)
    while place < size:
        if place + HEADER > size:
            damage = "cut"
            break
        length = unpack(data, place)[0]
        following = place + HEADER + length + FOOTER
        if following > size:
            damage = "cut"
            break
        starts.append(place + HEADER)
        lengths.append(length)
        place = following
    start, length_ = np.array(starts, dtype=np.int64), np.array(lengths, dtype=np.int64)
    if damage and place + HEADER <= size and masked_crc(data[place : place + 8]) != unpack_crc(data, place + 8):
        damage = "damaged"  # a length that is none, rather than a record that is being written
    bad = _damaged(np.frombuffer(data, dtype=np.uint8), start, length_)
    if bad < len(start):
        start, length_, damage = start[:bad], length_[:bad], "damaged"
    return Frames(start, length_, int(start[-1] + length_[-1] + FOOTER) if len(start) else 0, damage)


def unpack_crc(data: bytes, place: int) -> int:
    """A checksum as it stands in a file.

    Args:
        data: The file.
        place: Where.

    Returns:
        32 bits.
    """
    return int.from_bytes(data[place : place + 4], "little")


def gathered(data: NDArray[np.uint8], start: NDArray[np.int64], length: int) -> NDArray[np.uint8]:
    """Pieces of one length of a file.

    Args:
        data: The file.
        start: Where they begin ``[R]``.
        length: Of each.

    Returns:
        ``[R, length]``.
    """
    return data[start[:, None] + np.arange(length)]


def _damaged(data: NDArray[np.uint8], start: NDArray[np.int64], length: NDArray[np.int64]) -> int:
    """The place of the first record whose length or data do not fit their checksum; their number if all do."""
    if not len(start):
        return 0
    head = gathered(data, start - HEADER, HEADER)
    wrong = masked_crcs(head[:, :8]) != head[:, 8:].copy().view("<u4")[:, 0]
    first = int(wrong.argmax()) if wrong.any() else len(start)
    start, length = start[:first], length[:first]
    for size in np.unique(length[length <= CHECKED]).tolist():
        places = np.flatnonzero(length == size)
        if len(places) >= TOGETHER:
            for part in np.array_split(places, 1 + len(places) * size // (1 << 24)):
                rows = gathered(data, start[part], size + FOOTER)
                bad = masked_crcs(rows[:, :size]) != rows[:, size:].copy().view("<u4")[:, 0]
                first = min(first, int(part[bad.argmax()])) if bad.any() else first
        else:
            for place in places.tolist():
                begin = int(start[place])
                whole = data[begin : begin + size].tobytes()
                if masked_crc(whole) != unpack_crc(data[begin + size : begin + size + FOOTER].tobytes(), 0):
                    first = min(first, place)
    return first
