"""The message of a compressed network: everything that its receiver needs beyond what was agreed before the data were seen."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from heldout.engine.compression.bits import (
    Bits,
    arithmetic_code,
    elias_delta,
    plain,
    read_arithmetic_code,
    read_elias_delta,
    read_plain,
)
from heldout.engine.compression.choosing import KIND_BITS
from heldout.records import Refusal


@dataclass(frozen=True, slots=True)
class Message:
    """Bits, and how many of them say what.

    Attributes:
        bits: The whole message, prefix-free among all messages.
        parts: Part -> bits; they add up to the length.
    """

    bits: tuple[int, ...]
    parts: Mapping[str, float]

    def __len__(self) -> int:
        """Bits in all."""
        return len(self.bits)


class Decoded(NamedTuple):
    """What a message holds.

    Attributes:
        coordinates: ``[d]``.
        kind: Number of the projection among those that may be chosen.
        length: Of the message, in bits.
    """

    coordinates: NDArray[np.float32]
    kind: int
    length: int


def levels_of(codebook: NDArray[np.float16], size: int) -> NDArray[np.float32]:
    """The levels that a codebook stands for.

    Args:
        codebook: The levels themselves; or one number, the distance of evenly spaced ones around 0.
        size: Number of levels.

    Returns:
        ``[L]``, float32.

    Example:
        >>> levels_of(np.array([0.5], dtype=np.float16), 3).tolist()
        [-0.5, 0.0, 0.5]
    """
    book = codebook.astype(np.float32)
    if len(book) == size:
        return book
    return book[0] * (np.arange(size, dtype=np.float32) - np.float32((size - 1) / 2))


def encoded(symbols: NDArray[np.int64], codebook: NDArray[np.float16], size: int, *, kind: int = 0) -> Message:
    """A vector of quantised coordinates as a message.

    The projection's number in three bits, dimension and number of levels by Elias's delta code, one bit for whether the levels are
    evenly spaced, their distance or the levels as 16-bit floats, how often each is used by Elias's delta code, then the coordinates
    by arithmetic coding with these counts. Any projection, dimension and levels may be sent, so choosing them after looking at the
    data costs no more than their bits.

    Args:
        symbols: Places among the levels, ``[d]``.
        codebook: The levels ``[L]``, or one number, the distance of evenly spaced ones.
        size: L.
        kind: Number of the projection.

    Returns:
        The message, decoded once more and compared.

    Raises:
        Refusal: If it does not decode to what was sent.
    """
    counts = np.bincount(symbols, minlength=size).tolist()
    parts: dict[str, Bits] = {
        "projection": plain(kind, KIND_BITS),
        "dimension": elias_delta(len(symbols)),
        "number of levels": elias_delta(size),
        "codebook": [
            int(len(codebook) < size),
            *(bit for level in codebook.view(np.uint16).tolist() for bit in plain(level, 16)),
        ],
        "counts": [bit for count in counts[:-1] for bit in elias_delta(count + 1)],  # the last is what is left
        "coordinates": arithmetic_code(symbols.tolist(), counts),
    }
    message = Message(
        tuple(bit for part in parts.values() for bit in part), {k: float(len(v)) for k, v in parts.items()}
    )
    again = decoded([*message.bits, 1, 0, 1])
    sent = levels_of(codebook, size)[symbols]
    if again.length != len(message) or again.kind != kind or not np.array_equal(again.coordinates, sent):
        raise Refusal(
            given=f"a message of {len(message)} bits decoded to something else than was sent",
            expected="the same coordinates bit for bit",
            do="report this with the codebook and the counts",
        )
    return message


def decoded(bits: Iterable[int]) -> Decoded:
    """The projection and the coordinates that a message holds.

    Args:
        bits: A message, and whatever follows it.

    Returns:
        Coordinates, the projection's number, the message's length.
    """
    reader = BitReader(bits)
    kind, dimension, size = read_plain(reader, KIND_BITS), read_elias_delta(reader), read_elias_delta(reader)
    sent = 1 if next(reader) else size
    codebook = np.array([read_plain(reader, 16) for _ in range(sent)], dtype=np.uint16).view(np.float16)
    counts = [read_elias_delta(reader) - 1 for _ in range(size - 1)]
    counts.append(dimension - sum(counts))
    head = reader.count
    symbols, used = read_arithmetic_code(list(reader), dimension, counts)
    return Decoded(levels_of(codebook, size)[np.array(symbols, dtype=np.int64)], kind, head + used)


class BitReader(Iterator[int]):
    """Bits, one after the other, and how many were taken.

    Args:
        bits: Of a message.
    """

    def __init__(self, bits: Iterable[int]) -> None:
        self.bits, self.count = iter(bits), 0

    def __next__(self) -> int:
        bit = next(self.bits)
        self.count += 1
        return bit

    def skip(self, number: int) -> None:
        """Leave some out that were read elsewhere.

        Args:
            number: How many.
        """
        for _ in range(number):
            next(self)
