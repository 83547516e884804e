"""From a record to a page, and from a page to a file."""

import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import jinja2

from heldout.faces.numbers import by_pair, number
from heldout.faces.report.colours import ON_A_PAGE
from heldout.faces.report.drawing import figures, safe_json, script
from heldout.faces.report.sections import absent, bounds, families
from heldout.records import Refusal

HERE = Path(__file__).parent
PageMaker = Callable[..., str]
CONTRASTS = 15  # rows that are open; the rest folds
LISTED = 64  # members whose values a page lists one by one; the record has all


def page_of(template: str, **context: Any) -> str:
    """A page with the report's style and scripts.

    Args:
        template: Its file.
        **context: What it shows.

    Returns:
        HTML that needs nothing beside itself.
    """
    return template_of(template).render(
        **context,
        layout="layout.html.j2",
        colours=ON_A_PAGE,
        figure_path="",
        style=(HERE / "report.css").read_text(encoding="utf-8"),
        theme=(HERE / "theme.js").read_text(encoding="utf-8"),
        script=script(),
    )


def render(record: Mapping[str, Any], page: PageMaker = page_of) -> str:
    """The whole page.

    Args:
        record: What ``Audit.to_dict`` gave.
        page: What makes a page of a template and of what it shows.

    Returns:
        HTML; the report's needs nothing beside itself.
    """
    return page("page.html.j2", **_context(record))


def fragment(record: Mapping[str, Any]) -> str:
    """Verdict and readings for a notebook: no script, no figures.

    Args:
        record: What ``Audit.to_dict`` gave.

    Returns:
        HTML that may stand in a page.
    """
    return template_of("fragment.html.j2").render(record=record, families=families(record))


def write_report(record: Mapping[str, Any], path: str) -> str:
    """Write the page of an audit.

    Args:
        record: What ``Audit.to_dict`` gave.
        path: Where.

    Returns:
        The path.
    """
    return write_page(render(record), path)


def write_page(page: str, path: str) -> str:
    """Write a page, whole and then renamed, so that nobody ever opens half of it.

    Args:
        page: HTML.
        path: Where.

    Returns:
        The path.

    Raises:
        Refusal: If there can be no such file: the folder does not exist, cannot be written to, or the name is none.
    """
    temporary = Path(path).parent / f".heldout-{uuid.uuid4().hex}"
    try:
        temporary.write_text(page, encoding="utf-8")
        temporary.replace(path)
    except (OSError, ValueError) as error:  # ValueError: a path with a NUL in it
        with suppress(OSError, ValueError):
            temporary.unlink(missing_ok=True)
        raise Refusal(
            given=f"the report's path was '{path}' ({getattr(error, 'strerror', None) or error})",
            expected="a file in a folder that exists and can be written to",
            do="make the folder first, or choose another",
        ) from None
    return path


def _context(record: Mapping[str, Any]) -> dict[str, Any]:
    subject = record["subject"]
    groups = list(dict.fromkeys(subject["groups"]))
    drawn = figures(record)
    return {
        "record": record,
        "subject": subject,
        "groups": [{"name": name, "count": subject["groups"].count(name)} for name in groups],
        "figures": drawn,
        "specifications": {name: figure["specification"] for name, figure in drawn.items()},
        "families": families(record),
        "absent": absent(record),
        "bounds": bounds(record),
        "listed": LISTED,
        "pairs": by_pair(record["contrasts"]),
        "open_contrasts": CONTRASTS,
        "fit": _mean(record, "train-accuracy"),
    }


def _mean(record: Mapping[str, Any], name: str) -> float | None:
    values = [row["value"] for row in record["readings"] if row["name"] == name and row["value"] is not None]
    return sum(values) / len(values) if values else None


@cache
def template_of(name: str) -> jinja2.Template:
    """A template of this folder, with the filters that all pages use.

    Args:
        name: Its file.

    Returns:
        The template.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE), autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    environment.filters["number"] = number
    environment.filters["safe_json"] = safe_json
    return environment.get_template(name)
