"""What is computed from the readings of a training when its page is opened: phases, advice, figures. Nothing of it is stored."""

from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from functools import lru_cache
from typing import Any

from heldout.faces.web.drawings import Drawing
from heldout.faces.web.histories import History


def phases_of(history: History) -> list[dict[str, Any]]:
    """The phases of a training so far.

    Args:
        history: Its readings.

    Returns:
        Rows with ``name, begin, end, confidence, detected, why``.
    """
    return []


def advice_of(history: History, record: Mapping[str, Any]) -> dict[str, Any] | None:
    """Which checkpoint to ship, and whether to go on.

    Args:
        history: Its readings.
        record: What was said at its beginning.

    Returns:
        Advice; None where none can be given.
    """
    return None
