"""What an address asks for: its query, checked field by field."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from heldout.records import Refusal

HOURS = {"h": 1, "d": 24, "w": 168}
LARGEST_PAGE = 1_000_000


class Range(NamedTuple):
    """A reading with the range that is asked of it; with neither end it is a column alone."""

    name: str
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Asked:
    """A query.

    Attributes:
        fields: As they came, single values and lists, to be kept in links.
        words: Each must occur somewhere in a row, in capitals or not.
        since: The least beginning of a run's name; empty for all.
        readings: Columns and ranges.
        page: From 1.
    """

    fields: Mapping[str, Any]
    words: tuple[str, ...]
    since: str
    readings: tuple[Range, ...]
    page: int

    def __getitem__(self, field: str) -> str:
        """A single field.

        Args:
            field: Its name.

        Returns:
            What came; empty if nothing did.
        """
        value = self.fields.get(field, "")
        return value if isinstance(value, str) else ""


def asked(pairs: Sequence[tuple[str, str]], single: Sequence[str], several: Sequence[str] = ()) -> Asked:
    """Read a query.

    Args:
        pairs: Fields and values in their order.
        single: Fields that have one value; the last one counts.
        several: Fields that may be repeated, those of one place belonging together.

    Returns:
        What is asked; fields that nobody knows are left out.

    Example:
        >>> asked([("q", "mlp"), ("reading", "gap"), ("low", "0.1"), ("high", "")], ["q"], ["reading", "low", "high"]).readings
        (Range(name='gap', low=0.1, high=None),)
    """
    fields: dict[str, Any] = {field: "" for field in single} | {field: [] for field in several}
    for field, value in pairs:
        if field in several:
            fields[field].append(value)
        elif field in single:
            fields[field] = value
    for end in ("low", "high") if "reading" in several else ():
        fields[end] += [""] * (len(fields["reading"]) - len(fields[end]))
    return Asked(
        fields,
        tuple(fields.get("q", "").lower().split()),
        since_run(fields.get("since", "")),
        tuple(_ranges(fields)) if "reading" in several else (),
        _page(fields.get("page", "")),
    )


def number_of(field: str, text: str) -> float | None:
    """A number of a query.

    Args:
        field: Whose.
        text: What came.

    Returns:
        The number; None if nothing came.

    Raises:
        Refusal: If it is none.

    Example:
        >>> number_of("low", " 1e-3 "), number_of("low", "")
        (0.001, None)
    """
    if not text.strip():
        return None
    try:
        return float(text)
    except ValueError:
        raise Refusal(given=f"{field} was '{text[:40]}'", expected="a number", do="such as 0.5") from None


def since_run(text: str, now: datetime | None = None) -> str:
    """The beginning of the names of runs that are not older than said.

    Args:
        text: A day or time such as ``2026-01-31``, or an age such as ``24h``, ``7d``, ``4w``; empty for all.
        now: The present, for tests.

    Returns:
        Something that names of later runs are not less than.

    Raises:
        Refusal: If it is neither.

    Example:
        >>> since_run("2026-01-31"), since_run("24h", datetime(2026, 2, 1, tzinfo=UTC))
        ('20260131T000000Z', '20260131T000000Z')
    """
    text = text.strip()
    if not text:
        return ""
    age = re.fullmatch(r"(\d{1,5})([hdw])", text)
    try:
        if age:
            since = (now or datetime.now(UTC)) - timedelta(hours=int(age[1]) * HOURS[age[2]])
        else:
            since = datetime.fromisoformat(text)
            since = since.replace(tzinfo=UTC) if since.tzinfo is None else since.astimezone(UTC)
    except (ValueError, OverflowError):
        raise Refusal(
            given=f"since was '{text[:40]}'", expected="a day or an age", do="such as 2026-01-31, 24h, 7d or 4w"
        ) from None
    return since.strftime("%Y%m%dT%H%M%SZ")


def _ranges(fields: Mapping[str, Any]) -> list[Range]:
    found = []
    for place, name in enumerate(fields["reading"]):
        low, high = ((fields[end][place : place + 1] or [""])[0] for end in ("low", "high"))
        if name.strip():
            found.append(Range(name.strip(), number_of("low", low), number_of("high", high)))
    return found[:12]  # a table of more columns nobody reads, and each costs a look at all readings


def _page(text: str) -> int:
    if not text:
        return 1
    if not text.isdecimal() or not 1 <= int(text[:9]) <= LARGEST_PAGE:
        raise Refusal(given=f"page was '{text[:40]}'", expected="a whole number from 1 on", do="leave it out")
    return int(text[:9])
