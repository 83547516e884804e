"""Messages: they hold what was sent bit for bit, their parts add up, and no message begins another."""

import itertools

import numpy as np
import pytest

from heldout.engine.compression import messages as room
from heldout.engine.compression.messages import decoded, encoded, levels_of
from heldout.records import Refusal

DRAW = np.random.default_rng(0)


def some(dimension: int, size: int, *, even: bool) -> tuple[np.ndarray, np.ndarray]:
    symbols = DRAW.integers(0, size, dimension)
    book = np.array([0.37]) if even else np.sort(DRAW.normal(size=size))
    return symbols, book.astype(np.float16)


@pytest.mark.parametrize("even", [True, False])
@pytest.mark.parametrize(("dimension", "size"), [(1, 2), (7, 3), (200, 9), (1000, 31)])
def test_what_was_sent_comes_back(dimension: int, size: int, even: bool) -> None:
    symbols, book = some(dimension, size, even=even)
    message = encoded(symbols, book, size, kind=5)
    coordinates, kind, used = decoded([*message.bits, *DRAW.integers(0, 2, 40).tolist()])
    assert kind == 5
    assert used == len(message) == sum(message.parts.values())
    assert np.array_equal(coordinates, levels_of(book, size)[symbols])
    assert message.parts["codebook"] == 1 + 16 * (1 if even else size)


def test_levels_that_are_evenly_spaced() -> None:
    assert levels_of(np.array([0.5], dtype=np.float16), 4).tolist() == [-0.75, -0.25, 0.25, 0.75]


def test_no_message_begins_another() -> None:
    words = set()
    for dimension, size, even in itertools.product((1, 2, 3), (2, 3), (True, False)):
        for symbols in itertools.product(range(size), repeat=dimension):
            book = np.array([0.5] if even else np.arange(size), dtype=np.float16)
            words.add("".join(map(str, encoded(np.array(symbols), book, size).bits)))
    assert len(words) == 2 * (2 + 3 + 4 + 9 + 8 + 27)
    assert not any(later.startswith(word) for word, later in itertools.pairwise(sorted(words)))


def test_a_message_that_does_not_decode_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "arithmetic_code", lambda symbols, counts: [0] * 8)
    with pytest.raises(Refusal, match="decoded to something else"):
        encoded(*some(50, 5, even=False), 5)
