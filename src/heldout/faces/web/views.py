"""What pages of many runs show: runs, runs beside each other, readings; each one question to the index."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow

from heldout.engine.store.packs import READINGS, SUMMARIES
from heldout.engine.store.readings import plain_rows
from heldout.faces.web.asking import Asked, number_of
from heldout.faces.web.index import Index
from heldout.records import Refusal

RUNS = ("q", "kind", "since", "sort", "page")
RUNS_SEVERAL = ("reading", "low", "high", "compare")
TABLE = ("q", "kind", "since", "name", "member", "status", "low", "high", "sort", "page")
#: Rows of a page.
PAGE = 50
#: Runs of a portion of a download.
PORTION = 200
SUBJECTS = 100
#: Of a table of readings, what it may be sorted by.
COLUMNS = ("run", "kind", "subject", *READINGS.names[1:])


def runs_view(index: Index, asked: Asked, size: int | None = PAGE) -> dict[str, Any]:
    """The runs that a query asks for.

    Args:
        index: Of the store.
        asked: The query, with fields of :data:`RUNS` and :data:`RUNS_SEVERAL`.
        size: Rows of a page; None for all.

    Returns:
        A view, as ``runs_page`` takes it.
    """
    joins, conditions, values, having = "", *_conditions(asked, index), []
    for place, (name, low, high) in enumerate(asked.readings):
        inside = [f"value {sign} ?" for sign, end in ((">=", low), ("<=", high)) if end is not None]
        hit = f"bool_or({' AND '.join(inside)})" if inside else "true"
        joins += (
            f" LEFT JOIN (SELECT run, min(value) AS low{place}, max(value) AS high{place}, avg(value) AS mean{place}, "
            f"{hit} AS hit{place} FROM {{readings}} WHERE name = ? AND value IS NOT NULL GROUP BY run) AS r{place} USING (run)"
        )
        having += [end for end in (low, high) if end is not None] + [name]
        conditions += [f"hit{place}"] if inside else []
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    sql = f"SELECT *, count(*) OVER () AS total FROM runs{joins}{where}{_order(asked)}"
    found, total, page = _paged(index, sql, [*having, *values], asked.page, size)
    rows = [_with_readings(row, asked) for row in found]
    pages = 1 if size is None else max(1, -(-total // size))
    return _view(index, asked, rows, total, page, pages)


def compare_view(index: Index, runs: Sequence[str], fields: Mapping[str, Any]) -> dict[str, Any]:
    """Runs beside each other.

    Args:
        index: Of the store.
        runs: Listed names.
        fields: Of the query.

    Returns:
        A view, as ``compare_page`` takes it.
    """
    held = plain_rows(index.ask("SELECT * FROM runs WHERE run IN (SELECT unnest(?))", [list(runs)]))
    place = {run: number for number, run in enumerate(runs)}
    readings: dict[str, dict[str, Any]] = {}
    sql = (
        "SELECT run, name, any_value(family) AS family, any_value(unit) AS unit, any_value(direction) AS direction, "
        "min(value) AS low, max(value) AS high, avg(value) AS mean FROM {readings} "
        "WHERE run IN (SELECT unnest(?)) AND value IS NOT NULL GROUP BY run, name ORDER BY family, name"
    )
    for row in plain_rows(index.ask(sql, [list(runs)])):
        about = {key: row[key] for key in ("name", "family", "unit", "direction")}
        one = readings.setdefault(row["name"], {**about, "values": [None] * len(runs)})
        one["values"][place[row["run"]]] = {key: row[key] for key in ("low", "high", "mean")}
    ordered = sorted(held, key=lambda row: place[row["run"]])
    return {"runs": ordered, "readings": list(readings.values()), "query": dict(fields), "indexing": index.progress}


def compare_rows(view: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The same as rows, for downloads.

    Args:
        view: Of runs beside each other.

    Returns:
        One a reading and run.
    """
    return [
        {"name": one["name"], "unit": one["unit"], "run": run["run"], **value}
        for one in view["readings"]
        for run, value in zip(view["runs"], one["values"], strict=True)
        if value is not None
    ]


def readings_sql(index: Index, asked: Asked) -> tuple[str, list[Any]]:
    """Readings of all runs as one statement, without its page.

    Args:
        index: Of the store.
        asked: The query, with the fields of :data:`TABLE`.

    Returns:
        SQL and its values.
    """
    conditions, values = _conditions(asked, index, readings=True)
    for field in ("name", "status"):
        if asked[field]:
            conditions.append(f"readings.{field} = ?")
            values.append(asked[field])
    for field, sign in (("member", "="), ("low", ">="), ("high", "<=")):
        end = number_of(field, asked[field])
        if end is not None:
            conditions.append(f"readings.{'member' if field == 'member' else 'value'} {sign} ?")
            values.append(end)
    columns = ", ".join(f"readings.{name}" for name in READINGS.names[1:])
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    return (
        f"SELECT readings.run, kind, subject, {columns} FROM {{readings}} AS readings JOIN runs USING (run){where}",
        values,
    )


def readings_portions(index: Index, asked: Asked) -> Iterator[pyarrow.Table]:
    """Readings of all runs, all pages of them, some runs at a time.

    Args:
        index: Of the store.
        asked: The query, with the fields of :data:`TABLE`.

    Yields:
        Tables of the same columns, the first of them empty.
    """
    sql, values = readings_sql(index, asked)
    yield index.ask(f"{sql} LIMIT 0", values)
    runs = index.ask(f"SELECT DISTINCT run FROM ({sql}) ORDER BY run DESC", values).column("run").to_pylist()
    own = f"SELECT * FROM ({sql}) WHERE run IN (SELECT unnest(?)) ORDER BY run DESC, name, member"
    for place in range(0, len(runs), PORTION):
        yield index.ask(own, [*values, runs[place : place + PORTION]])


def readings_view(index: Index, asked: Asked) -> dict[str, Any]:
    """Readings of all runs.

    Args:
        index: Of the store.
        asked: The query, with the fields of :data:`TABLE`.

    Returns:
        A view, as ``readings_page`` takes it.
    """
    sql, values = readings_sql(index, asked)
    field, down = _sort_field(asked, COLUMNS, "-run")
    order = f' ORDER BY "{field}" {"DESC" if down else "ASC"} NULLS LAST, run DESC, name, member'
    total = index.ask(f"SELECT count(*) AS total FROM ({sql})", values).column("total")[0].as_py()
    pages = max(1, -(-total // PAGE))
    page = min(asked.page, pages)
    rows = plain_rows(index.ask(f"{sql}{order} LIMIT {PAGE} OFFSET {PAGE * (page - 1)}", values))
    return _view(index, asked, rows, total, page, pages)


def _paged(
    index: Index, sql: str, values: list[Any], page: int, size: int | None
) -> tuple[list[dict[str, Any]], int, int]:
    """Rows of a page, rows in all, and the page: the first where there is no such page."""
    limit = "" if size is None else f" LIMIT {size} OFFSET {size * (page - 1)}"
    rows = plain_rows(index.ask(f"{sql}{limit}", values))
    if not rows and page > 1:
        return _paged(index, sql, values, 1, size)
    return rows, rows[0]["total"] if rows else 0, page


def _conditions(asked: Asked, index: Index, *, readings: bool = False) -> tuple[list[str], list[Any]]:
    """What rows must be like, and the values of the question marks.

    A word in a table of readings occurs in what is said of the run or in the reading's name; both are looked up before the
    readings, of which there may be millions.
    """
    said = "contains(lower(concat_ws(' ', run, kind, subject, headline)), ?)"
    conditions: list[str] = []
    values: list[Any] = []
    for word in asked.words:
        if readings:
            conditions.append(
                f"(readings.run IN (SELECT run FROM runs WHERE {said}) OR readings.name IN (SELECT unnest(?::VARCHAR[])))"
            )
            values += [word, [row["name"] for row in index.reading_names() if word in row["name"].lower()]]
        else:
            conditions.append(said.replace("run,", "runs.run,"))
            values.append(word)
    for condition, value in (
        ("kind = ?", asked["kind"]),
        (f"{'readings' if readings else 'runs'}.run >= ?", asked.since),
    ):
        if value:
            conditions.append(condition)
            values.append(value)
    return conditions, values


def _order(asked: Asked) -> str:
    names = [one.name for one in asked.readings]
    field, down = _sort_field(asked, (*SUMMARIES.names, *names), "-run")
    column = f"mean{names.index(field)}" if field in names else f"runs.{field}"
    return f" ORDER BY {column} {'DESC' if down else 'ASC'} NULLS LAST, runs.run DESC"


def _sort_field(asked: Asked, known: Sequence[str], default: str) -> tuple[str, bool]:
    """The field to sort by, one that is known, and whether downwards: names never reach the statement unchecked."""
    said = asked["sort"] or default
    field = said.removeprefix("-")
    if field not in known:
        raise Refusal(given=f"sort was '{said[:40]}'", expected=f"one of {', '.join(known)}", do="leave it out")
    return field, said.startswith("-")


def _with_readings(row: dict[str, Any], asked: Asked) -> dict[str, Any]:
    told = {
        name: None if row[f"low{place}"] is None else {key: row[f"{key}{place}"] for key in ("low", "high", "mean")}
        for place, (name, _, _) in enumerate(asked.readings)
    }
    return {**{name: row[name] for name in SUMMARIES.names}, "indexed": row["indexed"], "readings": told}


def _view(index: Index, asked: Asked, rows: list[dict[str, Any]], total: int, page: int, pages: int) -> dict[str, Any]:
    subjects = index.ask(
        "SELECT subject AS name, count(*) AS count FROM runs WHERE subject <> '' GROUP BY subject ORDER BY count DESC, name "
        f"LIMIT {SUBJECTS}"
    )
    kinds = [{"name": name, "count": count} for name, count in Counter(index.names.values()).most_common()]
    facets = {"kinds": kinds, "subjects": subjects.to_pylist(), "readings": index.reading_names()}
    return {
        "rows": rows, "total": total, "page": page, "pages": pages, "query": dict(asked.fields), "facets": facets,
        "indexing": index.progress,
    }  # fmt: skip
