"""``heldout list`` and ``heldout explain``: what there is, and what it means."""

import difflib
import inspect
import json as jsonlib
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from heldout.catalog import Unit
    from heldout.records import Status

KINDS = (
    "measure",
    "profile",
    "bound",
    "criterion",
    "observable",
    "dataset",
    "network",
    "intervention",
    "study",
    "evidence",
    "figure",
)


def list_command(
    kind: Annotated[str | None, typer.Option(metavar="KIND", help=f"One of {', '.join(KINDS)}.")] = None,
    json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> Callable[[], None]:
    """The catalog: every measure, certificate and so on, with its source, its needs and its cost."""

    def job() -> None:
        from heldout.catalog import units
        from heldout.faces.cli.options import choice_of

        chosen = units(choice_of(kind, "--kind", KINDS) if kind is not None else "")
        rows = [_row(unit) for unit in chosen.values()]
        if json:
            typer.echo(jsonlib.dumps(rows, ensure_ascii=False, indent=1))
            return
        from heldout.faces.cli.tables import print_table

        columns = ("name", "kind", "family", "cost", "source", "needs")
        cells = [tuple(", ".join(row[c]) if c == "needs" else row[c] for c in columns) for row in rows]
        print_table(columns, cells)

    return job


def explain_command(
    name: Annotated[str, typer.Argument(help="A name of the catalog, or a status such as not-converged.")],
    json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> Callable[[], None]:
    """Formula, direction, invariances, source, needs, cost and traps of one name."""

    def job() -> None:
        found = explanation(name)
        if json:
            typer.echo(jsonlib.dumps(found, ensure_ascii=False, indent=1))
            return
        for each in [found, *found.pop("also", [])]:
            _print(each)

    return job


def explanation(name: str) -> dict[str, Any]:
    """Everything that is declared of a name.

    Args:
        name: Of a unit, of evidence, or of a status.

    Returns:
        Plain values, ``name``, ``kind``, ``summary`` and ``about`` among them; where evidence or a figure bears the name of a
        measure, that stands under ``also``.

    Raises:
        Refusal: If there is no such name, with the nearest.
    """
    from heldout.catalog import units
    from heldout.records import Refusal, Status

    statuses = {status.code: status for status in Status}
    if name in statuses:
        return _status(statuses[name])
    kinds = (units(), units("evidence"), units("figure"))
    found = [_unit(declared[name]) for declared in kinds if name in declared]
    if found:
        return {**found[0], "also": found[1:]} if found[1:] else found[0]
    near = (
        difflib.get_close_matches(name, [*(key for declared in kinds for key in declared), *statuses], n=3, cutoff=0.4)
        or list(units())[:3]
    )
    raise Refusal(
        given=f"'{name}' is not in the catalog",
        expected=f"one of its names, such as {', '.join(near)}",
        do="see them all with 'heldout list'",
    )


def catalog_rows() -> list[dict[str, Any]]:
    """All units as ``heldout list --json`` says them, each with its summary."""
    from heldout.catalog import units

    return [{**_row(unit), "summary": unit.summary} for unit in units().values()]


def cost_class(unit: "Unit") -> str:
    """How dear a unit is over the data.

    Args:
        unit: Of any kind.

    Returns:
        ``free`` (no pass), ``forward``, ``backward``, ``search`` (many passes), ``thorough`` (in a thorough audit alone);
        empty for what is not computed.
    """
    from heldout.catalog import units
    from heldout.engine.evidence.resolving import closure

    if unit.kind not in ("measure", "profile", "bound", "evidence"):
        return ""
    declared = {each.function.__name__: each for each in units("evidence").values()}
    names = closure((unit.function.__name__,) if unit.kind == "evidence" else unit.needs)
    passes = [declared[name].fields["passes"] for name in names]
    if any(declared[name].fields["thorough"] for name in names):
        return "thorough"
    if any(each.forward > 1 for each in passes):
        return "search"
    if any(each.backward for each in passes):
        return "backward"
    return "forward" if any(each.forward for each in passes) else "free"


def _print(found: dict[str, Any]) -> None:
    typer.echo(f"{found['name']} ({found['kind']}{', ' + found['family'] if found.get('family') else ''})")
    typer.echo(found["summary"])
    if found["about"]:
        typer.echo(f"\n{found['about']}\n")
    for claim in found.pop("claims", []):
        typer.echo(f"claim: {claim}")
    for size, grid in found.pop("sizes", {}).items():
        typer.echo(f"{size}: {', '.join(f'{key} {_words(value)}' for key, value in grid.items())}")
    for key, value in found.items():
        if key not in ("name", "kind", "family", "summary", "about") and value not in ("", [], {}, None):
            typer.echo(f"{key.replace('_', ' ')}: {_words(value)}")


def _row(unit: "Unit") -> dict[str, Any]:
    return {
        "name": unit.name,
        "kind": unit.kind,
        "family": unit.family,
        "cost": cost_class(unit),
        "source": unit.source,
        "needs": list(unit.needs),
    }


def _unit(unit: "Unit") -> dict[str, Any]:
    from heldout.engine.evidence.resolving import expected_passes

    found = {**_row(unit), "summary": unit.summary, "about": _open_part(unit.about)}
    if unit.kind in ("measure", "profile", "bound"):
        passes = expected_passes(unit.needs)
        found["passes"] = {"forward": passes.forward, "backward": passes.backward}
    found["settings"] = {k: _plain(v) for k, v in unit.settings.items() if v is not inspect.Parameter.empty}
    if unit.kind == "study":
        found["claims"] = [f"{claim.sentence} ({claim.source})" for claim in unit.fields["claims"]]
        found["sizes"] = _plain(unit.fields["sizes"])
        found["notes"] = unit.fields["notes"]
        return found
    if unit.kind == "measure":
        found["direction"] = unit.direction.value
    for key, value in unit.fields.items():
        if key not in ("source", "direction", "passes", "thorough", "requires", "family", "problem"):
            found[key] = value.code if key == "standing" else _plain(value)
    return found


def _status(status: "Status") -> dict[str, Any]:
    return {
        "name": status.code,
        "kind": "status",
        "summary": status.happened,
        "about": "",
        "usual_causes": status.causes,
        "what_to_do": status.do,
    }


def _open_part(about: str) -> str:
    """The docstring's prose: formula and traps, without the sections on arguments and the example."""
    return re.split(r"^(?:Args|Returns|Raises|Examples?|Yields):$", about, maxsplit=1, flags=re.MULTILINE)[0].strip()


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, (tuple, list)):
        return [_plain(inner) for inner in value]
    if isinstance(value, float) and value in (float("inf"), float("-inf")):
        return "infinity" if value > 0 else "-infinity"  # JSON has no infinity
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)


def _words(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key}={_words(inner)}" for key, inner in value.items())
    return ", ".join(map(_words, value)) if isinstance(value, list) else str(value)
