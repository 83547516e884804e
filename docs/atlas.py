"""Write docs/atlas.md: the networks of the atlas, and every measure judged on them. ``python docs/atlas.py [RUNS]``.

With the folder of a store, the table that ships is made anew first, by the study ``atlas`` at laptop size (hours on two cores); what
``heldout study run atlas --size laptop --store RUNS`` has finished is taken from there.
"""

import sys
from pathlib import Path

import numpy as np

import heldout
from heldout.atlas import atlas_table, shipped
from heldout.atlas.table import FILE
from heldout.verbs.judgement import Judgement

HERE = Path(__file__).parent
CRITERIA = ("kendall", "granulated-kendall", "conditional-mutual-information", "sign-error")
MARK = "<!-- made by python docs/atlas.py -->"


def ship(runs: str) -> None:
    """Make the table that ships: the study at laptop size, of which finished cells are taken from the store.

    Args:
        runs: Directory or URL.
    """
    table = heldout.study("atlas", size="laptop", store=runs, progress=lambda *done: print(*done, flush=True)).table
    place = Path(heldout.__file__).parent / "atlas" / FILE
    shipped(table).to_parquet(place, compression="zstd", index=False)


def networks() -> str:
    """What the table holds.

    Returns:
        Markdown.
    """
    table = atlas_table()
    rows = ["| task | part | networks | architectures | accuracy | gap |", "|---|---|---|---|---|---|"]
    for (task, part), own in table.groupby(["hp.task", "part"]):
        shapes = own.groupby(["hp.width", "hp.depth"]).ngroups
        spans = [f"{own[name].min():.3f} to {own[name].max():.3f}" for name in ("accuracy", "gap")]
        rows.append(f"| {task} | {part} | {len(own)} | {shapes} | {spans[0]} | {spans[1]} |")
    return "\n".join(rows)


def judged(found: Judgement) -> str:
    """One task's measures, the best granulated Kendall's tau first.

    Args:
        found: The judgement.

    Returns:
        Markdown.
    """
    score = {(s.measure, s.criterion, s.axis): s for s in found.scores}
    axes = found.axes
    head = ["measure", "verdict", "tau", "granulated (95 %)", *axes, "CMI", "mean sign error", "networks"]
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]

    def number(measure: str, criterion: str, axis: str = "") -> str:
        one = score.get((measure, criterion, axis))
        return "" if one is None or one.value is None else f"{one.value:+.2f}"

    def order(verdict: object) -> float:
        one = score.get((verdict.measure, "granulated-kendall", ""))  # type: ignore[attr-defined]
        return np.inf if one is None or one.value is None else -one.value

    for verdict in sorted(found.verdicts, key=order):
        name, whole = verdict.measure, score.get((verdict.measure, "granulated-kendall", ""))
        span = "" if whole is None or whole.low is None else f" ({whole.low:+.2f} to {whole.high:+.2f})"
        cells = [name, verdict.words, f"{verdict.tau:+.2f}", number(name, "granulated-kendall") + span]
        cells += [number(name, "granulated-kendall", axis) for axis in axes]
        cells += [number(name, "conditional-mutual-information"), number(name, "sign-error, mean")]
        lines.append(f"| {' | '.join([*cells, str(whole.networks if whole else '')])} |")
    return "\n".join(lines)


def main() -> None:
    """Judge and write."""
    if sys.argv[1:]:
        ship(sys.argv[1])
    table = atlas_table()
    parts = [networks()]
    for task in table["hp.task"].unique():
        own = table[(table["hp.task"] == task) & (table.part == "recipe")].drop(
            columns=["hp.task", "hp.noise", "hp.size"]
        )
        found = heldout.judge(own, criteria=CRITERIA)
        ceiling = "" if found.ceiling is None else f"; the exact gap itself would reach a tau of {found.ceiling:.2f}"
        parts += [f"### {task}", f"{found.networks} networks{ceiling}.", judged(found)]
    page = HERE / "atlas.md"
    text = page.read_text(encoding="utf-8").split(MARK)[0]
    page.write_text(text + MARK + "\n\n" + "\n\n".join(parts) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
