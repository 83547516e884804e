"""Lists: runs, runs beside each other, readings of all runs."""

from collections.abc import Mapping
from typing import Any

from heldout.faces.web.addresses import with_query
from heldout.faces.web.pages.shell import page_of

Plain = Mapping[str, Any]


def runs_page(view: Plain) -> str:
    """``/``: what is stored.

    Args:
        view: ``rows`` (each ``run, kind, written, subject, members, headline, note, finished`` and ``readings``: name -> ``low, high,
            mean``, for the readings that the query names), ``total``, ``page`` (from 1), ``pages``, ``query`` (``q, kind, since,
            sort, page`` and the lists ``reading, low, high, compare``), ``facets`` (``kinds``, ``subjects``, ``readings``: lists of
            ``{"name", "count"}``) and ``indexing`` (None, or the numbers done and in all).

    Returns:
        The page.
    """
    return _list("runs.html.j2", "/", view, chosen=set(view["query"].get("compare") or ()))


def readings_page(view: Plain) -> str:
    """``/readings``: readings of all runs.

    Args:
        view: As of the runs; its rows are ``run, kind, subject, member, name, family, value, low, high, standard_error, unit,
            direction, status, reason``; its query ``q, kind, since, name, member, status, low, high, sort, page``.

    Returns:
        The page.
    """
    return _list("readings.html.j2", "/readings", view)


def compare_page(view: Plain) -> str:
    """``/compare``: runs beside each other.

    Args:
        view: ``runs`` (rows as above), ``readings`` (each ``name, family, unit, direction`` and ``values``: one a run, None or ``low,
            high, mean``) and ``query``.

    Returns:
        The page.
    """
    runs = ",".join(row["run"] for row in view["runs"])
    return page_of("compare.html.j2", shape="wide", address=f"/compare?runs={runs}", **_without_query(view))


def _list(template: str, path: str, view: Plain, **context: Any) -> str:
    query = {key: view["query"].get(key) for key in QUERY} | dict(view["query"])
    address = with_query(path, query, page="", compare=[])
    return page_of(
        template, shape="wide", here=path, path=path, address=address, scripts=("lists.js",), query=query, **context,
        **_without_query(view),
    )  # fmt: skip


def _without_query(view: Plain) -> dict[str, Any]:
    return {key: value for key, value in view.items() if key != "query"}


#: What a query may say; a template asks for any of them.
QUERY = ("q", "kind", "since", "sort", "page", "reading", "low", "high", "name", "member", "status")
