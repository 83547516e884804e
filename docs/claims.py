"""Run every study and write the table of claims: ``python docs/claims.py [--size laptop] [--store runs]``."""

import argparse
import json
from collections import Counter
from pathlib import Path

import heldout
from heldout.catalog import units
from heldout.faces.numbers import shown

HERE = Path(__file__).parent


def table(size: str, store: str) -> str:
    """The page.

    Args:
        size: Of every study.
        store: Where finished cells are kept.

    Returns:
        Markdown.
    """
    kept = Path(store) / "seconds.json"  # a study whose cells are in the store takes no time, but once it did
    took: dict[str, float] = json.loads(kept.read_text()) if kept.exists() else {}
    lines, counts = [], Counter[str]()
    for name, unit in units("study").items():
        record = heldout.study(name, size=size, store=store)
        took[name] = max(record.seconds, took.get(name, 0.0))
        kept.write_text(json.dumps(took))
        counts.update(claim["verdict"] for claim in record.claims)
        lines += [f"## {name}", "", f"{unit.summary} {unit.source}. {took[name]:.0f} s.", ""]
        lines += ["| claim | value | the claim says | control | verdict |", "|---|---|---|---|---|"]
        for claim in record.claims:
            bar = f"{'above' if claim['above'] else 'below'} {claim['bar']:.3g}"
            control = shown(claim, "control") if "control" in claim else ""
            lines.append(
                f"| {claim['claim']} ({claim['source']}) | {shown(claim)} | {bar} | {control} | {claim['verdict']} |"
            )
        lines += ["", unit.fields["notes"], ""] if unit.fields["notes"] else [""]
        print(f"{name}: {', '.join(claim['verdict'] for claim in record.claims)} ({record.seconds:.0f} s)", flush=True)
    head = f"""# The table of claims

Every study at `{size}` size, written by `python docs/claims.py`; {sum(took[name] for name in units("study")) / 60:.0f} minutes on
two cores in all. Values are means over seeds with their 95 % intervals. Of {sum(counts.values())} claims
{counts["reproduced"]} are reproduced, {counts["not reproduced"]} are not, and {counts["underpowered"]} are underpowered: an interval
touches the bar.
"""
    return "\n".join([head, *lines])


if __name__ == "__main__":
    reader = argparse.ArgumentParser()
    reader.add_argument("--size", default="laptop")
    reader.add_argument("--store", default="runs")
    given = reader.parse_args()
    (HERE / "claims.md").write_text(table(given.size, given.store), encoding="utf-8")
