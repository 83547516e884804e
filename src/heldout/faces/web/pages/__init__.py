"""Pages as HTML: plain dictionaries in, a string out. Nothing here opens a file of the store or asks a question of it.

Every function escapes whatever comes from a run. Pages may link to ``asset_address(name)`` for style and scripts, to
``page_address``, ``figure_address``, ``events_address`` and ``with_query`` for all else, and draw ``drawings(kind, record)``.
The policy allows scripts, styles, images, fonts and connections from this server only: nothing inline, and no ``eval`` (Vega
takes ``ast: true`` with its interpreter).
"""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from heldout.faces.web.addresses import page_address

Plain = Mapping[str, Any]


def runs_page(view: Plain) -> str:
    """``/``: what is stored.

    Args:
        view: ``rows`` (each ``run, kind, written, subject, members, headline, note, finished`` and ``readings``: name -> ``low, high,
            mean``, for the readings that the query names), ``total``, ``page`` (from 1), ``pages``, ``query`` (``q, kind, since,
            sort, page, compare`` and the lists ``reading, low, high``), ``facets`` (``kinds``, ``subjects``, ``readings``: lists of
            ``{"name", "count"}``, the most frequent first) and ``indexing`` (None, or the numbers done and in all: filters see only what
            is done).

    Returns:
        HTML.
    """
    rows = "".join(
        f'<li><a href="{page_address(row["kind"], row["run"])}">{escape(row["run"])}</a> {escape(row["kind"])} '
        f"{escape(str(row['subject'] or ''))} {escape(str(row['headline'] or ''))}</li>"
        for row in view["rows"]
    )
    progress = "" if view["indexing"] is None else f"<p>indexing {view['indexing'][0]} of {view['indexing'][1]}</p>"
    return _page("Runs", f"{progress}<p>{view['total']} runs</p><ul>{rows}</ul>")


def compare_page(view: Plain) -> str:
    """``/compare``: runs beside each other.

    Args:
        view: ``runs`` (rows as above), ``readings`` (each ``name, family, unit, direction`` and ``values``: one a run, None or ``low,
            high, mean``) and ``query``.

    Returns:
        HTML.
    """
    return _plain("Compare", view)


def audit_page(run: str, record: Plain) -> str:
    """``/audits/RUN``.

    Args:
        run: Its name.
        record: What ``Audit.to_dict`` gave.

    Returns:
        HTML.
    """
    return _plain(run, record)


def training_page(
    run: str, about: Plain, table_rows: Sequence[Plain], phases: Sequence[Plain], advice: Plain | None
) -> str:
    """``/trainings/RUN``.

    Args:
        run: Its name.
        about: What was said at its beginning, with ``finished``, ``outcome`` (None while it runs), ``last`` (the last segment that
            ``table_rows`` holds: go on with ``events_address(run, last)``), ``rows`` (how many there are in all) and ``notes`` (sentences
            on segments that could not be read).
        table_rows: Readings in the order of steps; of a long run at most 400 evenly spaced steps of each reading and member.
        phases: ``name, begin, end, confidence, detected, why``.
        advice: None where none can be given.

    Returns:
        HTML.
    """
    return _plain(run, {"about": about, "rows": table_rows, "phases": phases, "advice": advice})


def study_page(run: str, record: Plain) -> str:
    """``/studies/RUN``.

    Args:
        run: Its name.
        record: What ``StudyRecord.to_dict`` gave.

    Returns:
        HTML.
    """
    return _plain(run, record)


def judgement_page(run: str, record: Plain) -> str:
    """``/judgements/RUN``.

    Args:
        run: Its name.
        record: What ``Judgement.to_dict`` gave.

    Returns:
        HTML.
    """
    return _plain(run, record)


def certification_page(run: str, record: Plain) -> str:
    """``/certifications/RUN``.

    Args:
        run: Its name.
        record: What ``Certificates.to_dict`` gave.

    Returns:
        HTML.
    """
    return _plain(run, record)


def posterior_page(run: str, record: Plain) -> str:
    """``/posteriors/RUN``.

    Args:
        run: Its name.
        record: What ``Posterior.to_dict`` gave, with ``labels``.

    Returns:
        HTML.
    """
    return _plain(run, record)


def prediction_page(run: str, record: Plain) -> str:
    """``/predictions/RUN``.

    Args:
        run: Its name.
        record: What ``Prediction.to_dict`` gave.

    Returns:
        HTML.
    """
    return _plain(run, record)


def catalog_page(units: Sequence[Plain]) -> str:
    """``/catalog``.

    Args:
        units: ``name, kind, family, cost, source, needs, summary``.

    Returns:
        HTML.
    """
    return _plain("Catalog", {"units": units})


def unit_page(unit: Plain) -> str:
    """``/catalog/NAME``.

    Args:
        unit: What ``heldout explain --json`` says.

    Returns:
        HTML.
    """
    return _plain(unit["name"], unit)


def readings_page(view: Plain) -> str:
    """``/readings``: readings of all runs.

    Args:
        view: As of the runs; its rows are ``run, kind, subject, member, name, family, value, low, high, standard_error, unit,
            direction, status, reason``; its query ``q, kind, since, name, member, status, low, high, sort, page``.

    Returns:
        HTML.
    """
    return _plain("Readings", view)


def message_page(title: str, sentence: str, links: Sequence[tuple[str, str]]) -> str:
    """A page that says one sentence: not found, not allowed, not readable.

    Args:
        title: In a word or two.
        sentence: What happened and what to do.
        links: Addresses with their words.

    Returns:
        HTML.
    """
    items = "".join(f'<li><a href="{escape(address)}">{escape(words)}</a></li>' for address, words in links)
    return _page(title, f"<p>{escape(sentence)}</p><ul>{items}</ul>")


def _plain(title: str, content: Plain) -> str:
    return _page(title, f"<pre>{escape(repr(content))}</pre>")


def _page(title: str, content: str) -> str:
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)} - heldout</title>'
        f"<h1>{escape(title)}</h1>{content}</html>"
    )
