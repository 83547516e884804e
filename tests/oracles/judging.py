"""Criteria typed from their definitions: loops over pairs of networks, one measure at a time."""

import math
from collections import defaultdict
from collections.abc import Sequence
from itertools import combinations, permutations

Row = Sequence[float]


def sign(value: float) -> int:
    return int(value > 0) - int(value < 0)


def kendall(measure: Row, gap: Row) -> float:
    pairs = list(combinations(range(len(gap)), 2))
    return sum(sign(measure[i] - measure[j]) * sign(gap[i] - gap[j]) for i, j in pairs) / len(pairs)


def granulated(measure: Row, gap: Row, settings: Sequence[tuple[int, ...]]) -> list[float]:
    """psi of each axis: tau within each setting of the others, over pairs that differ in the axis, averaged over settings."""
    found = []
    for axis in range(len(settings[0])):
        groups = defaultdict(list)
        for i, j in combinations(range(len(gap)), 2):
            differing = [a for a in range(len(settings[0])) if settings[i][a] != settings[j][a]]
            if differing == [axis]:
                others = settings[i][:axis] + settings[i][axis + 1 :]
                groups[others].append(sign(measure[i] - measure[j]) * sign(gap[i] - gap[j]))
        found.append(sum(sum(g) / len(g) for g in groups.values()) / len(groups))
    return found


def entropy(counts: Sequence[float]) -> float:
    total = sum(counts)
    return -sum(c / total * math.log2(c / total) for c in counts if c) if total else 0.0


def jiang(measure: Row, gap: Row, settings: Sequence[tuple[int, ...]]) -> float:
    """Minimum over |S| <= 2 of I(V_mu; V_g | U_S) / H(V_g | U_S), ordered pairs, ties half to each side."""
    axes = range(len(settings[0]))
    scores = []
    for chosen in [s for size in (0, 1, 2) for s in combinations(axes, size)]:
        cells: dict[tuple[object, ...], dict[tuple[int, int], float]] = defaultdict(lambda: defaultdict(float))
        for i, j in permutations(range(len(gap)), 2):
            key = (tuple(settings[i][a] for a in chosen), tuple(settings[j][a] for a in chosen))
            for m in (1, -1) if measure[i] == measure[j] else (sign(measure[i] - measure[j]),):
                for g in (1, -1) if gap[i] == gap[j] else (sign(gap[i] - gap[j]),):
                    share = (0.5 if measure[i] == measure[j] else 1) * (0.5 if gap[i] == gap[j] else 1)
                    cells[key][m, g] += share
        told = unknown = 0.0
        for table in cells.values():
            total = sum(table.values())
            left = [sum(v for (m, _), v in table.items() if m == s) for s in (1, -1)]
            right = [sum(v for (_, g), v in table.items() if g == s) for s in (1, -1)]
            told += total * (entropy(left) + entropy(right) - entropy(list(table.values())))
            unknown += total * entropy(right)
        if unknown:
            scores.append(told / unknown)
    return min(scores)


def competition(measure: Row, gap: Row, settings: Sequence[tuple[int, ...]]) -> float:
    """|S| = 2 only, cells equally weighted, self-pairs in, ties count as not above."""
    scores = []
    for chosen in combinations(range(len(settings[0])), 2):
        cells: dict[tuple[object, ...], dict[tuple[bool, bool], float]] = defaultdict(lambda: defaultdict(float))
        for i in range(len(gap)):
            for j in range(len(gap)):
                key = tuple(settings[i][a] for a in chosen) + tuple(settings[j][a] for a in chosen)
                cells[key][bool(measure[i] > measure[j]), bool(gap[i] > gap[j])] += 1
        told = unknown = 0.0
        for table in cells.values():
            left = [sum(v for (m, _), v in table.items() if m is s) for s in (True, False)]
            right = [sum(v for (_, g), v in table.items() if g is s) for s in (True, False)]
            told += entropy(left) + entropy(right) - entropy(list(table.values()))
            unknown += entropy(right)
        if unknown:
            scores.append(told / unknown)
    return min(scores)


def sign_errors(measure: Row, gap: Row, settings: Sequence[tuple[int, ...]], n: float) -> list[float]:
    """The weighted mean sign error of every environment that is kept."""
    groups: dict[frozenset[tuple[int, ...]], list[tuple[float, float]]] = defaultdict(list)
    for i, j in combinations(range(len(gap)), 2):
        if sum(a != b for a, b in zip(settings[i], settings[j], strict=True)) == 1:
            difference = gap[i] - gap[j]
            weight = max(max(0.0, 1 - 2 * math.exp(-2 * n * (abs(difference) / 2) ** 2)) ** 2 - 0.5, 0.0)
            error = 0.5 * (1 - sign(measure[i] - measure[j]) * sign(difference))
            groups[frozenset((settings[i], settings[j]))].append((weight, error))
    found = []
    for pairs in groups.values():
        total, squares = sum(w for w, _ in pairs), sum(w * w for w, _ in pairs)
        if squares and total**2 / squares >= 0.12 * len(pairs):
            found.append(sum(w * e for w, e in pairs) / total)
    return found
