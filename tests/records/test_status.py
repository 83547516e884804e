"""The closed list of sentences."""

import pytest

from heldout.records import Direction, Status


@pytest.mark.parametrize("status", Status, ids=lambda status: status.code)
def test_a_code_finds_its_status(status: Status) -> None:
    assert Status.of(status.code) is status


def test_an_unknown_code_is_no_status() -> None:
    with pytest.raises(StopIteration):
        Status.of("fine")


def test_directions_are_words_that_are_stored() -> None:
    assert {direction.value for direction in Direction} == {"higher is worse", "higher is better", "neither"}
    assert Direction("neither") is Direction.NEITHER
