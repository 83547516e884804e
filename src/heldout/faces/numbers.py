"""Numbers as people read them: four significant digits, ranges, intervals."""

from collections.abc import Mapping, Sequence
from typing import Any

ABSENT = "—"


def number(value: float | None) -> str:
    """A number to four significant digits.

    Args:
        value: None for an absent one.

    Returns:
        Its text.

    Example:
        >>> number(0.123456), number(1234567.0), number(500.0), number(None)
        ('0.1235', '1.235e+06', '500', '—')
    """
    return ABSENT if value is None else f"{value:.4g}"


def span(values: Sequence[float | None]) -> str:
    """One number, or the range of several.

    Args:
        values: Of the members; absent ones are left out.

    Returns:
        Its text.

    Example:
        >>> span([0.5]), span([1.0, None, 3.0]), span([None])
        ('0.5', '1 to 3', '—')
    """
    known = [value for value in values if value is not None]
    if not known:
        return ABSENT
    low, high = number(min(known)), number(max(known))
    return low if low == high else f"{low} to {high}"


def interval(row: Mapping[str, Any]) -> str:
    """The uncertainty of a reading's row.

    Args:
        row: Of the record.

    Returns:
        Its interval, or else its standard error; empty for an exact number.

    Example:
        >>> interval({"low": 0.1, "high": 0.25, "standard_error": 0.05}), interval({"low": None, "standard_error": 0.05})
        ('0.1 to 0.25', '± 0.05')
    """
    if row["low"] is not None and row["high"] is not None:
        return f"{number(row['low'])} to {number(row['high'])}"
    return "" if row["standard_error"] is None else f"± {number(row['standard_error'])}"


def by_pair(contrasts: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Contrasts of each pair of groups together, in their order.

    Args:
        contrasts: Of the record.

    Returns:
        Pairs with first, second (the groups), rows, complete (how many separate them completely), chance.

    Example:
        >>> rows = [{"first": "a", "second": other, "area": area, "chance": 0.1} for other, area in (("b", 1.0), ("c", 0.5))]
        >>> [(pair["second"], pair["complete"]) for pair in by_pair(rows)]
        [('b', 1), ('c', 0)]
    """
    pairs: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for row in contrasts:
        pairs.setdefault((row["first"], row["second"]), []).append(row)
    return [
        {
            "first": first,
            "second": second,
            "rows": rows,
            "complete": sum(row["area"] in (0.0, 1.0) for row in rows),
            "chance": rows[0]["chance"],
        }
        for (first, second), rows in pairs.items()
    ]


def shown(claim: Mapping[str, Any], side: str = "") -> str:
    """The value of a claim, or of its control, with its interval.

    Args:
        claim: Of the record.
        side: ``"control"`` for the control's.

    Returns:
        Such as ``"0.31 (0.24 to 0.38)"``.

    Example:
        >>> shown({"value": 0.5, "low": 0.25, "high": 0.75})
        '0.5 (0.25 to 0.75)'
        >>> shown({"control": 1.0, "control_low": 1.0, "control_high": 1.0}, "control")
        '1'
    """
    value, low, high = (
        claim.get(key) for key in ((side, f"{side}_low", f"{side}_high") if side else ("value", "low", "high"))
    )
    if value is None:
        return "no number"
    if low is None or high is None:
        return f"{number(value)} (no interval)"
    return number(value) if low == high else f"{number(value)} ({number(low)} to {number(high)})"
