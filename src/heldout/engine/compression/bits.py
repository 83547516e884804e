"""Prefix-free codes: whole numbers by Elias's delta code, symbols of known counts by integer arithmetic coding."""

from collections.abc import Iterator, Sequence

from heldout.records import Refusal

Bits = list[int]
_WIDTH = 32
_WHOLE, _HALF, _QUARTER = 1 << _WIDTH, 1 << (_WIDTH - 1), 1 << (_WIDTH - 2)


def elias_delta(number: int) -> Bits:
    """The code word of a whole number from 1: the length of its length in unary, its length, the number.

    Elias (1975). No code word begins another, so messages made of them need no ends.

    Args:
        number: At least 1.

    Returns:
        Bits.

    Raises:
        Refusal: If it is below 1.

    Example:
        >>> elias_delta(1), elias_delta(10)
        ([0], [1, 1, 0, 0, 0, 0, 1, 0])
    """
    if number < 1:
        raise Refusal(given=f"number was {number}", expected="a whole number from 1", do="code the number plus 1")
    length = number.bit_length()
    size = length.bit_length() - 1
    return [1] * size + [0] + plain(length - (1 << size), size) + plain(number - (1 << (length - 1)), length - 1)


def read_elias_delta(bits: Iterator[int]) -> int:
    """The number that comes next in a message.

    Args:
        bits: The message from here on; what the number takes is consumed.

    Returns:
        The number.
    """
    size = 0
    while next(bits):
        size += 1
    length = (1 << size) + read_plain(bits, size)
    return (1 << (length - 1)) + read_plain(bits, length - 1)


def plain(number: int, width: int) -> Bits:
    """A number in so many bits, the highest first.

    Args:
        number: Below two to the width.
        width: Bits.

    Returns:
        Bits.
    """
    return [(number >> place) & 1 for place in reversed(range(width))]


def read_plain(bits: Iterator[int], width: int) -> int:
    """A number of so many bits.

    Args:
        bits: The message from here on.
        width: Bits.

    Returns:
        The number.
    """
    number = 0
    for _ in range(width):
        number = 2 * number + next(bits)
    return number


def arithmetic_code(symbols: Sequence[int], counts: Sequence[int]) -> Bits:
    """Symbols as bits, close to the sum of ``-log2(count / total)``: integer arithmetic coding (Witten, Neal and Cleary 1987).

    The last bits name an interval inside the code's, so what follows in a message cannot change it: it is prefix-free among
    messages of one length and one table of counts.

    Args:
        symbols: Places in the table.
        counts: How often each stands in the message, their sum below 2^30.

    Returns:
        Bits, at most two more than the ideal length and a hair of rounding.

    Example:
        >>> len(arithmetic_code([0] * 1000, [1000])), len(arithmetic_code([0, 1] * 500, [500, 500]))
        (2, 1002)
    """
    ends = _cumulative(counts)
    low, high, waiting, bits = 0, _WHOLE - 1, 0, Bits()

    def say(bit: int) -> None:
        nonlocal waiting
        bits.extend([bit] + [1 - bit] * waiting)
        waiting = 0

    for symbol in symbols:
        span = high - low + 1
        low, high = low + span * ends[symbol] // ends[-1], low + span * ends[symbol + 1] // ends[-1] - 1
        while True:
            if high < _HALF:
                say(0)
            elif low >= _HALF:
                say(1)
                low, high = low - _HALF, high - _HALF
            elif low >= _QUARTER and high < _HALF + _QUARTER:
                waiting += 1
                low, high = low - _QUARTER, high - _QUARTER
            else:
                break
            low, high = 2 * low, 2 * high + 1
    waiting += 1
    say(int(low >= _QUARTER))
    return bits


def read_arithmetic_code(bits: Sequence[int], number: int, counts: Sequence[int]) -> tuple[list[int], int]:
    """Symbols from bits.

    Args:
        bits: A message that begins with them; what follows does not matter.
        number: Of symbols.
        counts: As for the coder.

    Returns:
        The symbols, and how many bits they took.
    """
    ends = _cumulative(counts)
    padded = [*bits, *[0] * _WIDTH]
    value = read_plain(iter(padded), _WIDTH)
    read, low, high, shifts, symbols = _WIDTH, 0, _WHOLE - 1, 0, []
    for _ in range(number):
        span = high - low + 1
        target = ((value - low + 1) * ends[-1] - 1) // span
        symbol = next(place for place, end in enumerate(ends[1:]) if target < end)
        symbols.append(symbol)
        low, high = low + span * ends[symbol] // ends[-1], low + span * ends[symbol + 1] // ends[-1] - 1
        while True:
            if high < _HALF:
                offset = 0
            elif low >= _HALF:
                offset = _HALF
            elif low >= _QUARTER and high < _HALF + _QUARTER:
                offset = _QUARTER
            else:
                break
            low, high, value = (
                2 * (low - offset),
                2 * (high - offset) + 1,
                2 * (value - offset) + (padded[read : read + 1] or [0])[0],
            )
            read, shifts = read + 1, shifts + 1
    return symbols, shifts + 2


def _cumulative(counts: Sequence[int]) -> list[int]:
    ends = [0]
    for count in counts:
        ends.append(ends[-1] + count)
    return ends
