"""The judge: its time on 1,000 networks x 60 measures, and against truth: false discoveries, coverage, what each criterion says.

Run: ``python benchmarks/judge.py [--ledgers 200]``. Ledgers are generated, so that the answer is known. Ends with exit code 1 if
more than one verdict in twenty is a false discovery or intervals miss the truth beyond chance (p < 1e-6).
"""

import argparse
import math
import resource
import sys
import time

import numpy as np
import pandas
from scipy.stats import binom

from heldout.catalog import units
from heldout.engine.judging.ledger import Ledger, as_ledger
from heldout.records import Direction
from heldout.verbs.judge import judge
from heldout.verbs.scoring import scored


def grid(levels: tuple[int, ...], seeds: int) -> np.ndarray:
    """Codes of a full grid, each configuration as often as there are seeds."""
    cells = np.array(np.meshgrid(*map(np.arange, levels), indexing="ij")).reshape(len(levels), -1).T
    return np.repeat(cells, seeds, axis=0)


def ledger(seed: int, levels: tuple[int, ...], seeds: int, kinds: dict[str, int]) -> Ledger:
    """A gap of main effects and noise of each network's own; measures that see it, or the effects alone, or nothing."""
    codes, draws = grid(levels, seeds), np.random.default_rng([seed, 21])
    effect = codes @ np.linspace(0.05, -0.03, len(levels))
    gap = 0.2 + effect + 0.03 * draws.normal(size=len(codes))
    make = {
        "signal": lambda: gap + 0.03 * draws.normal(size=len(gap)),
        "flipped": lambda: -gap + 0.03 * draws.normal(size=len(gap)),
        "proxy": lambda: effect + 1e-4 * draws.normal(size=len(gap)),
        "noise": lambda: draws.normal(size=len(gap)),
    }
    measures = {f"measure.{kind}{place}": make[kind]() for kind, count in kinds.items() for place in range(count)}
    table = {
        **{f"hp.axis{place}": column for place, column in enumerate(codes.T)},
        **measures,
        "gap": gap,
        "test_size": 10_000,
    }
    return as_ledger(pandas.DataFrame(table), directions={name[8:]: Direction.HIGHER_IS_WORSE for name in measures})


def speed() -> None:
    """All criteria with nulls and intervals; processor seconds too, as machines are shared."""
    held = ledger(0, (5, 5, 4, 2), 5, {"signal": 20, "flipped": 10, "proxy": 15, "noise": 15})
    units("criterion")
    print(f"{held.design.networks} networks x {len(held.measures)} measures")
    for name in (*units("criterion"), ""):
        start, before = time.perf_counter(), _processor()
        judge(held, criteria=(name,) if name else ())
        print(
            f"  {name or 'all of them':32} {time.perf_counter() - start:6.1f} s, {_processor() - before:6.1f} s of processors"
        )


def _processor() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def discoveries(ledgers: int) -> bool:
    """False discoveries over ledgers without a true measure, and with one in five."""
    kept = True
    for words, kinds in (("none true", {"noise": 20}), ("one in five true", {"noise": 16, "signal": 2, "flipped": 2})):
        shares, said = [], 0
        for seed in range(ledgers):
            found = judge(ledger(seed, (3, 3, 3), 3, kinds), criteria=("kendall",), seed=seed).verdicts
            told = [
                one.measure
                for one in found
                if one.kind == "measure" and ("predicts" in one.words or "wrong" in one.words)
            ]
            shares.append(sum(name.startswith("noise") for name in told) / max(len(told), 1))
            said += len(told)
        mean, error = float(np.mean(shares)), float(np.std(shares) / math.sqrt(ledgers))
        print(f"  {words:18} {said:5d} discoveries, false share {mean:.4f} +- {error:.4f} (at most 0.05)")
        kept &= mean - 5 * error <= 0.05
    beyond = [
        verdict.words == "predicts beyond the design"
        for seed in range(ledgers)
        for verdict in judge(ledger(seed, (3, 3, 3), 3, {"proxy": 5}), criteria=("kendall",), seed=seed).verdicts
        if verdict.kind == "measure"
    ]
    print(f"  proxies of the design said to go beyond it: {np.mean(beyond):.4f} of {len(beyond)}")
    return kept and float(np.mean(beyond)) < 0.05


def coverage(ledgers: int) -> bool:
    """Intervals of Kendall's tau against its value on Gaussian ledgers, 2 asin(rho) / pi."""
    kept = True
    for cells, seeds in ((20, 3), (40, 3), (80, 3), (80, 1)):
        a, b, e, n = 0.1, 0.05, 0.1, cells * seeds
        between = math.asin(math.sqrt((a * a + b * b) / (a * a + b * b + e * e))) * 2 / math.pi
        within = math.asin(math.sqrt(b * b / (b * b + e * e))) * 2 / math.pi
        inside = (seeds - 1) / (n - 1)
        truth, covered = inside * within + (1 - inside) * between, 0
        for seed in range(ledgers):
            draws = np.random.default_rng([seed, 22])
            gap = a * np.repeat(draws.normal(size=cells), seeds) + b * draws.normal(size=n)
            table = {
                "hp.c": np.repeat(np.arange(cells), seeds),
                "measure.m": gap + e * draws.normal(size=n),
                "gap": gap,
            }
            score = scored(units("criterion")["kendall"], as_ledger(pandas.DataFrame(table)), seed)[0]
            covered += bool(score.low is not None and score.high is not None and score.low <= truth <= score.high)
        print(f"  {cells:3d} configurations of {seeds} seeds: {covered} of {ledgers} intervals hold {truth:.3f}")
        kept &= float(binom.cdf(covered, ledgers, 0.95)) > 1e-6
    return kept


def truths() -> None:
    """What each criterion says of measures whose worth is known."""
    held = ledger(1, (3, 3, 3, 3), 3, {"signal": 1, "proxy": 1, "flipped": 1, "noise": 1})
    found = judge(held)
    for name in dict.fromkeys(score.criterion for score in found.scores):
        row = {s.measure: s for s in found.scores if s.criterion == name and not s.axis}
        words = ", ".join(
            f"{kind} {row[f'{kind}0'].value:6.3f}"
            for kind in ("signal", "proxy", "flipped", "noise")
            if row[f"{kind}0"].value is not None
        )
        print(f"  {name:34} {words}")
    for verdict in found.verdicts:
        print(f"  {verdict.measure:34} {verdict.words}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ledgers", type=int, default=200)
    chosen = parser.parse_args()
    print("speed"), speed()
    print("what the criteria say of known measures"), truths()
    print("false discoveries")
    fine = discoveries(chosen.ledgers)
    print("coverage of 95 % intervals")
    fine &= coverage(chosen.ledgers)
    sys.exit(not fine)
