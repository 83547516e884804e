"""Generate the catalog page from the catalog itself: ``python docs/generate.py``."""

from pathlib import Path

from heldout.catalog import Unit, units
from heldout.engine.evidence.resolving import expected_passes

HERE = Path(__file__).parent


def section(unit: Unit) -> str:
    """One unit as Markdown.

    Args:
        unit: Of the catalog.

    Returns:
        A heading, the summary, and what is known of it.
    """
    lines = [f"### {unit.name}", "", unit.summary, ""]
    if unit.source:
        lines.append(f"- source: {unit.source}")
    if unit.kind == "measure":
        low, high = unit.fields["range"]
        passes = expected_passes(unit.needs)
        lines += [
            f"- direction: {unit.direction.value}; range: {low:g} to {high:g}",
            f"- unmoved by: {', '.join(unit.fields['invariances']) or 'nothing declared'}",
            f"- cost alone: {passes.forward:g} forward, {passes.backward:g} backward sweeps",
        ]
        if unit.fields["undefined"]:
            lines.append(f"- undefined where {unit.fields['undefined']}")
    if unit.kind == "bound":
        lines.append(f"- certifies {unit.fields['certifies']}; {unit.fields['statement']}")
    if unit.needs:
        lines.append(f"- needs: {', '.join(f'`{need}`' for need in unit.needs)}")
    return "\n".join([*lines, "", "```text", unit.about, "```", ""])


def page() -> str:
    """The catalog page.

    Returns:
        Markdown.
    """
    parts = ["# The catalog", "", "Generated from the code by `make docs`.", ""]
    families: dict[tuple[str, str], list[Unit]] = {}
    for unit in units().values():
        families.setdefault((unit.room, unit.family), []).append(unit)
    for (room, family), members in families.items():
        parts += [f"## {room}: {family.replace('_', ' ')}", "", *[section(unit) for unit in members]]
    return "\n".join(parts)


if __name__ == "__main__":
    (HERE / "catalog.md").write_text(page(), encoding="utf-8")
