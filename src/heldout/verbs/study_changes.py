"""Fields of a study's grid that a user sets otherwise: checked, and named where the study fails with them."""

import contextlib
import difflib
from collections.abc import Iterator, Mapping
from typing import Any

from heldout.records import Refusal


def checked_changes(name: str, known: Mapping[str, Any], changes: Mapping[str, Any]) -> Mapping[str, Any]:
    """Changes to a grid, refused where they name no field of it or are of another kind than its values.

    Args:
        name: Of the study.
        known: Every field -> value or list of values.
        changes: Field -> value or list of values.

    Returns:
        The changes.

    Raises:
        Refusal: If a field does not exist, with the nearest name, or holds what it cannot.
    """
    for key, value in changes.items():
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1, cutoff=0.3)
            raise Refusal(
                given=f"grid field '{key}' does not exist in '{name}'",
                expected=f"one of {', '.join(known)}",
                do=f"did you mean '{near[0]}'" if near else "leave it out",
            )
        if isinstance(value, list) and not value:
            raise Refusal(
                given=f"grid field '{key}' had no values", expected="at least one", do="fill it or leave it out"
            )
        for each in value if isinstance(value, list) else [value]:
            kind = _kind(known[key])
            if kind and _kind(each) != kind:
                raise Refusal(
                    given=f"grid field '{key}' was {each!r}",
                    expected=f"a {kind}, such as {_first(known[key])!r}",
                    do="pass one, or a list of them",
                )
    return changes


@contextlib.contextmanager
def blamed_on(name: str, changes: Mapping[str, Any]) -> Iterator[None]:
    """Say which changes a study failed with; without changes its failures are its own.

    Args:
        name: Of the study.
        changes: Field -> value; the user's data and network among them.

    Yields:
        Nothing.

    Raises:
        Refusal: If the study failed with changes.
        OSError: As it was raised; it says nothing of the changes.
    """
    try:
        yield
    except OSError:
        raise
    except Exception as error:
        if isinstance(error, Refusal) or not changes:
            raise
        reason = (str(error).strip().splitlines() or [""])[0][:200]
        raise Refusal(
            given=f"study '{name}' failed with another {', '.join(changes)} ({type(error).__name__}: {reason})",
            expected="values that it can work with",
            do=f"compare 'heldout explain {name}', which lists its own",
        ) from error


def _first(value: Any) -> Any:
    return value[0] if isinstance(value, list) else value


def _kind(value: Any) -> str:
    """What a value is; empty for what has no simple word, which is not checked."""
    values = value if isinstance(value, list) else [value]
    if all(isinstance(each, bool) for each in values):
        return "truth value"
    if all(isinstance(each, int | float) and not isinstance(each, bool) for each in values):
        return "number"
    return "word" if all(isinstance(each, str) for each in values) else ""
