"""Which readings tell the groups of a population apart, and by how much."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from math import comb
from typing import Any

import numpy as np

from heldout.catalog import units
from heldout.engine.evidence.resolving import sees_test_data
from heldout.records import Reading


def contrasts(readings: Mapping[str, Reading], groups: Sequence[str]) -> tuple[dict[str, Any], ...]:
    """Every reading that needs no test data, ordered by how well it separates two groups.

    The separation is the area under the ROC curve, P(value in the second group > value in the first), ties counting half:
    1 or 0 is a clean separation, 1/2 none. With k and l members the chance of a clean separation of two groups that do not
    differ is 2 / C(k + l, k), which is printed with it; many readings are looked at, so a few such would come by chance.

    Args:
        readings: By name.
        groups: One word a member.

    Returns:
        Rows with name, first, second (the groups), mean_first, mean_second, ratio, area, gap_in_deviations, chance.
    """
    names = list(dict.fromkeys(groups))
    rows = []
    for first, second in combinations(names, 2):
        chosen = [np.array([group == name for group in groups]) for name in (first, second)]
        for reading in readings.values():
            if sees_test_data(units("measure")[reading.name].needs) or not reading.ok:
                continue
            ours, theirs = (reading.value[mask] for mask in chosen)
            above = (theirs[:, None] > ours[None, :]).mean() + 0.5 * (theirs[:, None] == ours[None, :]).mean()
            spread = np.sqrt((_variance(ours) + _variance(theirs)) / 2)
            distance = float(theirs.mean() - ours.mean())
            rows.append({
                "name": reading.name,
                "family": reading.family,
                "direction": reading.direction.value,
                "first": first,
                "second": second,
                "mean_first": float(ours.mean()),
                "mean_second": float(theirs.mean()),
                "ratio": float(theirs.mean() / ours.mean()) if ours.mean() != 0 else None,
                "area": float(above),
                "gap_in_deviations": distance / float(spread) if spread > 0 else None,
                "chance": 2 / comb(len(ours) + len(theirs), len(ours)),
            })
    return tuple(sorted(rows, key=lambda row: (-abs(row["area"] - 0.5), -abs(row["gap_in_deviations"] or 0.0))))


def _variance(values: np.ndarray) -> float:
    return float(values.var(ddof=1)) if len(values) > 1 else 0.0
