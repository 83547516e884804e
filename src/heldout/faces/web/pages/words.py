"""Counts, times and prose as pages show them."""

import re
from datetime import datetime
from typing import Any

MINUTE, HOUR = 60, 3600


def counted(value: Any) -> str:
    """A whole number, its thousands apart.

    Args:
        value: None for one that is not known.

    Returns:
        Its text.

    Example:
        >>> counted(1234567), counted(None)
        ('1,234,567', '—')
    """
    return "—" if value is None else f"{int(value):,}"


def agreed(value: int | None, one: str) -> str:
    """A count with its word in the number that goes with it.

    Args:
        value: How many.
        one: The word for one; its plural takes an s.

    Returns:
        Such as ``"2 networks"``.

    Example:
        >>> agreed(1, "network"), agreed(1200, "run")
        ('1 network', '1,200 runs')
    """
    return f"{counted(value)} {one}{'' if value == 1 else 's'}"


def when(written: str) -> str:
    """A moment, to the minute.

    Args:
        written: ISO 8601.

    Returns:
        Such as ``"2026-01-31 23:59"``; what is no time is shown as it is.

    Example:
        >>> when("2026-01-31T23:59:59+00:00"), when("yesterday")
        ('2026-01-31 23:59', 'yesterday')
    """
    try:
        return datetime.fromisoformat(written).strftime("%Y-%m-%d %H:%M")
    except (TypeError, ValueError):
        return str(written or "")


def lasted(seconds: float | None) -> str:
    """A duration in the two largest units that fit it.

    Args:
        seconds: None for one that is not known.

    Returns:
        Its text.

    Example:
        >>> lasted(0.25), lasted(75), lasted(7384), lasted(None)
        ('0.25 s', '1 min 15 s', '2 h 3 min', '—')
    """
    if seconds is None:
        return "—"
    if seconds < MINUTE:
        return f"{seconds:.3g} s"
    whole = int(seconds)
    if whole < HOUR:
        return f"{whole // MINUTE} min {whole % MINUTE} s"
    return f"{whole // HOUR:,} h {whole % HOUR // MINUTE} min"


def cleaned(prose: str) -> str:
    """A docstring's sentence without its marks.

    Args:
        prose: As it stands in the source.

    Returns:
        As it is read.

    Example:
        >>> cleaned("The ``gap`` of :func:`audit`, :math:`a - b`.")
        'The gap of audit, a - b.'
    """
    return re.sub(r":\w+:`~?([^`]*)`", r"\1", prose).replace("``", "")


def blocks(about: str) -> list[dict[str, str]]:
    r"""A docstring as paragraphs and formulas.

    Args:
        about: As it stands in the source.

    Returns:
        Blocks with ``kind`` (``text``, ``formula`` or ``item``) and ``text``.

    Example:
        >>> [(block["kind"], block["text"]) for block in blocks("One\nline.\n\n.. math::\n\n    a = b\n\nAnd ``two``.")]
        [('text', 'One line.'), ('formula', 'a = b'), ('text', 'And two.')]
    """
    found: list[dict[str, str]] = []
    for part in re.split(r"\n\s*\n", about.strip("\n")):
        formula = part.lstrip().startswith(".. math::")
        body = re.sub(r"^\s*\.\. math::", "", part) if formula else part
        lines = [line.strip() for line in body.splitlines() if line.strip()]
        indented = part.startswith("    ") and found and found[-1]["kind"] == "formula"
        if formula or indented:
            if formula:
                found.append({"kind": "formula", "text": "\n".join(lines)})
            else:
                found[-1]["text"] = "\n".join(filter(None, [found[-1]["text"], *lines]))
        elif lines and lines[0].startswith(("- ", "* ")):
            for item in re.split(r"\n\s*[-*] ", "\n" + "\n".join(lines))[1:]:
                found.append({"kind": "item", "text": cleaned(" ".join(item.split()))})
        elif lines:
            found.append({"kind": "text", "text": cleaned(" ".join(lines))})
    return found
