"""Colours and type of every figure: on a page they are variables of its style, in a file of their own they are plain colours."""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

SERIES = 8
_INK, _LINE, _TEXT = "var(--figure-ink)", "var(--line)", 12
#: Vega-Lite's configuration on a page: light, dark and paper need no second drawing.
ON_A_PAGE: Mapping[str, Any] = {
    "background": "transparent",
    "font": "system-ui, sans-serif",
    "view": {"stroke": "transparent"},
    "axis": {
        "labelColor": _INK, "titleColor": _INK, "gridColor": _LINE, "domainColor": _LINE, "tickColor": _LINE,
        "labelFontSize": _TEXT, "titleFontSize": _TEXT, "titleFontWeight": "normal",
    },
    "legend": {"labelColor": _INK, "titleColor": _INK, "orient": "top", "labelFontSize": _TEXT, "labelLimit": 240, "columns": 4},
    "header": {"labelColor": _INK, "titleColor": _INK},
    "range": {"category": [f"var(--series-{place})" for place in range(SERIES)]},
}  # fmt: skip
#: How wide a figure is where no page gives it a width.
ALONE = 640


@cache
def paper() -> dict[str, str]:
    """The style's variables on paper, where it is always light.

    Returns:
        Name without dashes -> colour.

    Example:
        >>> paper()["series-0"], paper()["paper"]
        ('#0072b2', '#fdfcf9')
    """
    style = (Path(__file__).parent / "report.css").read_text(encoding="utf-8")
    root = style.partition("{")[2].partition("}")[0]
    return dict(re.findall(r"--([\w-]+):\s*([^;]+);", root))


def standalone(specification: Mapping[str, Any]) -> dict[str, Any]:
    """A page's figure as a file of its own.

    Args:
        specification: Vega-Lite, as a page has it.

    Returns:
        The same with the page's width and variables replaced, on the page's paper.

    Example:
        >>> alone = standalone({"mark": {"type": "bar", "color": "var(--accent)"}, "width": "container"})
        >>> alone["mark"]["color"], alone["width"], alone["config"]["background"]
        ('#0072b2', 640, '#fdfcf9')
    """
    drawn: dict[str, Any] = _plain({**specification, "config": {**ON_A_PAGE, "background": "var(--paper)"}})
    return {**drawn, "width": ALONE} if drawn.get("width") == "container" else drawn


def _plain(part: Any) -> Any:
    if isinstance(part, Mapping):
        return {key: value if key == "datasets" else _plain(value) for key, value in part.items()}
    if isinstance(part, list):
        return [_plain(entry) for entry in part]
    if isinstance(part, str) and "var(--" in part:
        return re.sub(r"var\(--([\w-]+)\)", lambda found: paper()[found[1]], part)
    return part
