"""The catalog: every name with its meaning, and one name with all that is declared of it."""

from collections.abc import Mapping, Sequence
from typing import Any

from heldout.faces.web.pages.shell import page_of
from heldout.faces.web.pages.words import blocks, cleaned

Plain = Mapping[str, Any]
#: Told above, or for machines only.
TOLD = {"name", "kind", "summary", "about", "also", "claims"}


def catalog_page(units: Sequence[Plain]) -> str:
    """``/catalog``.

    Args:
        units: ``name, kind, family, cost, source, needs, summary``.

    Returns:
        The page.
    """
    return page_of("catalog.html.j2", units=units, here="/catalog", shape="wide", scripts=("lists.js",))


def unit_page(unit: Plain) -> str:
    """``/catalog/NAME``.

    Args:
        unit: What ``heldout explain --json`` says.

    Returns:
        The page.
    """
    return page_of("unit.html.j2", units=[_shown(each) for each in (unit, *unit.get("also", ()))])


def _shown(unit: Plain) -> dict[str, Any]:
    said = {key: value for key, value in unit.items() if key not in TOLD and value not in ("", [], {}, None)}
    return {
        "name": unit["name"],
        "kind": unit["kind"],
        "summary": cleaned(unit["summary"]),
        "blocks": blocks(unit["about"]),
        "claims": unit.get("claims", []),
        "facts": [(key.replace("_", " "), said_of(value)) for key, value in said.items()],
    }


def said_of(value: Any) -> str:
    """A declared value in words.

    Args:
        value: Plain.

    Returns:
        Its text.

    Example:
        >>> said_of({"forward": 1.0, "backward": [2, True]})
        'forward 1, backward 2, yes'
    """
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {said_of(inner)}" for key, inner in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(map(said_of, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else cleaned(str(value))
