"""Changes to a study's grid, and what is said where it fails with them."""

from typing import Any

import pytest

from heldout.records import Refusal
from heldout.verbs.study_changes import blamed_on, checked_changes

KNOWN = {"width": [2, 4], "noise": 0.5, "arm": ["plain", "ridge"], "centred": True, "limit": None}


@pytest.mark.parametrize(
    "changes",
    [{"width": 8}, {"width": [8, 16.0]}, {"noise": 0}, {"arm": "plain"}, {"centred": False}, {"limit": "any"}],
)
def test_values_of_the_same_kind_pass(changes: dict[str, Any]) -> None:
    assert checked_changes("a-study", KNOWN, changes) == changes


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"widht": 3}, "did you mean 'width'"),
        ({"width": []}, "no values"),
        ({"width": "wide"}, "'width' was 'wide'; expected a number, such as 2"),
        ({"width": [2, None]}, "'width' was None"),
        ({"noise": {"a": 1}}, "a number, such as 0.5"),
        ({"noise": True}, "'noise' was True"),
        ({"arm": 3}, "a word, such as 'plain'"),
        ({"centred": 1}, "a truth value"),
    ],
)
def test_others_are_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(Refusal, match=said):
        checked_changes("a-study", KNOWN, changes)


def test_a_failure_is_blamed_on_changes_where_there_are_any() -> None:
    with (
        pytest.raises(Refusal, match=r"failed with another width \(IndexError: nothing there\)"),
        blamed_on("a-study", {"width": 0}),
    ):
        raise IndexError("nothing there")
    with pytest.raises(IndexError), blamed_on("a-study", {}):
        raise IndexError("nothing there")
    with pytest.raises(OSError, match="full"), blamed_on("a-study", {"width": 0}):
        raise OSError("full")
