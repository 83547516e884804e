"""What every page stands in: the address of each thing, the trail to it, its downloads; and the page that only says a sentence."""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import jinja2

from heldout.faces.numbers import interval, number
from heldout.faces.report.colours import ON_A_PAGE
from heldout.faces.report.drawing import safe_json
from heldout.faces.web.addresses import PLACES, page_address, with_query
from heldout.faces.web.assets import asset_address
from heldout.faces.web.pages.words import agreed, cleaned, counted, lasted, when

HERE = Path(__file__).parent
REPORT = HERE.parents[1] / "report"
#: Every page can be sorted; what else it loads depends on what it shows.
ALWAYS = ("tables.js", "keys.js")


def page_of(
    template: str, *, here: str = "", shape: str = "", trail: Mapping[str, Any] | None = None, figure_path: str = "",
    scripts: Sequence[str] = (), specifications: Mapping[str, Any] | None = None, **context: Any,
) -> str:  # fmt: skip
    """A page of the server.

    Args:
        template: Its file, here or among the report's.
        here: The page of the head line that this is, if any.
        shape: ``"wide"`` for tables of many columns.
        trail: Where the page is: address and words of what is above it, run, and the address that its data lie beside.
        figure_path: Address that pictures of its figures lie under; empty for none.
        scripts: Modules that it needs beside those of all pages and that of figures.
        specifications: Figure's name -> Vega-Lite.
        **context: What it shows.

    Returns:
        HTML that needs the server's assets and nothing else.
    """
    drawing = ("figures.js",) if specifications else ()
    return _environment().get_template(template).render(
        **context, layout="shell.html.j2", here=here, shape=shape, trail=trail, figure_path=figure_path, colours=ON_A_PAGE,
        specifications=specifications or {}, scripts=(*ALWAYS, *drawing, *scripts),
    )  # fmt: skip


def trail_of(kind: str, run: str) -> dict[str, str]:
    """Where the page of a result is.

    Args:
        kind: Of the result.
        run: Its name.

    Returns:
        The address and the words of the list above it, the run, the address of its data.
    """
    return {
        "address": with_query("/", {"kind": kind}),
        "words": PLACES[kind],
        "run": run,
        "data": page_address(kind, run),
    }


def data_address(path: str, ending: str) -> str:
    """The address of a page's data.

    Args:
        path: The page's, with its query.
        ending: ``csv``, ``parquet`` or ``json``.

    Returns:
        The same address with the ending on its path.

    Example:
        >>> data_address("/readings?name=gap", "csv"), data_address("/", "json")
        ('/readings.csv?name=gap', '/runs.json')
    """
    path, mark, query = path.partition("?")
    return f"{'/runs' if path == '/' else path}.{ending}{mark}{query}"


def message_page(title: str, sentence: str, links: Sequence[tuple[str, str]] = ()) -> str:
    """A page that only says something: what was not found, what was refused, what is still to come.

    Args:
        title: In a few words.
        sentence: What happened and what to do.
        links: Where to go from here: addresses with their words.

    Returns:
        The page.
    """
    return page_of("message.html.j2", title=title, sentence=sentence, links=links)


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader([HERE, REPORT]), autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    environment.filters |= {
        "number": number, "interval": interval, "safe_json": safe_json, "counted": counted, "when": when, "lasted": lasted,
        "agreed": agreed, "cleaned": cleaned,
    }  # fmt: skip
    environment.globals |= {
        "asset_address": asset_address, "page_address": page_address, "with_query": with_query, "data_address": data_address,
        "PLACES": PLACES,
    }  # fmt: skip
    return environment
