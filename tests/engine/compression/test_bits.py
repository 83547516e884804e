"""Codes: every word decodes, none begins another, and none is longer than it must be."""

import itertools
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heldout.engine.compression.bits import (
    arithmetic_code,
    elias_delta,
    plain,
    read_arithmetic_code,
    read_elias_delta,
    read_plain,
)
from heldout.records import Refusal


@given(number=st.integers(1, 2**40), after=st.lists(st.integers(0, 1), max_size=20))
def test_numbers_come_back_and_what_follows_is_left(number: int, after: list[int]) -> None:
    bits = iter([*elias_delta(number), *after])
    assert read_elias_delta(bits) == number
    assert list(bits) == after


def test_no_code_word_of_a_number_begins_another_and_kraft_s_sum_is_at_most_one() -> None:
    words = ["".join(map(str, elias_delta(number))) for number in range(1, 3000)]
    ordered = sorted(words)
    assert not any(later.startswith(word) for word, later in itertools.pairwise(ordered))
    assert sum(2.0 ** -len(word) for word in words) <= 1
    # the length of Elias's delta code: floor(log2 n) + 2 floor(log2(floor(log2 n) + 1)) + 1
    for number, word in enumerate(words, 1):
        length = math.floor(math.log2(number))
        assert len(word) == length + 2 * math.floor(math.log2(length + 1)) + 1


def test_below_one_there_is_no_word() -> None:
    with pytest.raises(Refusal, match="number was 0"):
        elias_delta(0)


@given(number=st.integers(0, 2**16 - 1))
def test_plain_numbers(number: int) -> None:
    assert read_plain(iter(plain(number, 16)), 16) == number
    assert f"{number:016b}" == "".join(map(str, plain(number, 16)))


@settings(max_examples=300, deadline=None)
@given(
    symbols=st.lists(st.integers(0, 11), min_size=1, max_size=400),
    after=st.lists(st.integers(0, 1), max_size=60),
)
def test_symbols_come_back_whatever_follows_within_two_bits_of_the_ideal(symbols: list[int], after: list[int]) -> None:
    counts = [symbols.count(place) for place in range(12)]
    bits = arithmetic_code(symbols, counts)
    for tail in (after, [0] * 50, [1] * 50, []):
        assert read_arithmetic_code([*bits, *tail], len(symbols), counts) == (symbols, len(bits))
    ideal = sum(-count * math.log2(count / len(symbols)) for count in counts if count)
    assert len(bits) <= ideal + 2.001


def test_messages_of_one_table_are_prefix_free() -> None:
    """All orders of one table of counts: no code begins another, and Kraft's sum is at most 1."""
    counts = [3, 2, 1]
    words = {
        "".join(map(str, arithmetic_code(order, counts))) for order in set(itertools.permutations([0, 0, 0, 1, 1, 2]))
    }
    assert len(words) == 60
    assert not any(later.startswith(word) for word, later in itertools.pairwise(sorted(words)))
    assert sum(2.0 ** -len(word) for word in words) <= 1
