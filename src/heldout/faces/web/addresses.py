"""Addresses of pages: every result has one, and its state stands in the query."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

#: Kind of a result -> the folder of its pages.
PLACES = {
    "audit": "audits",
    "certification": "certifications",
    "judgement": "judgements",
    "posterior": "posteriors",
    "prediction": "predictions",
    "study": "studies",
    "training": "trainings",
}


def page_address(kind: str, run: str) -> str:
    """Where the page of a result is; its data lie beside it under ``.csv``, ``.parquet`` and ``.json``.

    Args:
        kind: One of :data:`PLACES`.
        run: Its name.

    Returns:
        A path.

    Example:
        >>> page_address("audit", "20260131T235959Z-0123456789ab")
        '/audits/20260131T235959Z-0123456789ab'
    """
    return f"/{PLACES[kind]}/{quote(run, safe='')}"


def figure_address(kind: str, run: str, figure: str, ending: str) -> str:
    """Where a figure of a result is.

    Args:
        kind: One of :data:`PLACES`.
        run: Its name.
        figure: The figure's name.
        ending: ``svg``, ``png`` or ``vl.json``.

    Returns:
        A path.

    Example:
        >>> figure_address("study", "20260131T235959Z-0123456789ab", "curves", "svg")
        '/figures/studies/20260131T235959Z-0123456789ab/curves.svg'
    """
    return f"/figures{page_address(kind, run)}/{quote(figure, safe='')}.{ending}"


def events_address(run: str, after: str = "") -> str:
    """Where a training's segments are sent as they are written.

    Args:
        run: The training's name.
        after: The last segment that the viewer has; empty for all from the beginning.

    Returns:
        A path.

    Example:
        >>> events_address("20260131T235959Z-0123456789ab", "000000000100")
        '/events/20260131T235959Z-0123456789ab?after=000000000100'
    """
    return f"/events/{quote(run, safe='')}" + (f"?after={quote(after, safe='')}" if after else "")


def with_query(path: str, query: Mapping[str, Any], **changes: Any) -> str:
    """A path with a query, some of whose fields are changed: how sorting, paging and downloading keep the filters.

    Args:
        path: Such as ``/readings``.
        query: Field -> value or list of values, as a view's ``query`` holds them; empty ones are left out.
        **changes: Fields that differ.

    Returns:
        An address that can be shared.

    Example:
        >>> with_query("/", {"q": "a&b", "page": 3, "kind": ""}, page=1)
        '/?q=a%26b&page=1'
    """
    pairs: list[tuple[str, str]] = []
    for field, value in {**query, **changes}.items():
        values = value if isinstance(value, (list, tuple)) else [value]
        if isinstance(value, (list, tuple)) or value not in ("", None):
            pairs += [(field, "" if one is None else str(one)) for one in values]
    return f"{path}?{urlencode(pairs)}" if pairs else path
