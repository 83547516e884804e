"""Calibration of sampled posteriors: automatic settings against exactly known values, many seeds.

``python benchmarks/posterior.py --seeds 20 --json posterior.jsonl``. Every case is a law whose learning coefficient at this n and
this localisation is an integral (``tests/oracles``). A seed is right if it lies within 10 % or three of its own
standard errors; the intervals of 90 % should cover nine times in ten.
"""

import argparse
import json
import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from tests.oracles import posterior_data
from tests.oracles import posteriors as oracle

from heldout.engine.sampling import Settings, Target, sample
from heldout.engine.sampling.convergence import monte_carlo_error

N = 1000
NBETA = N / math.log(N)
#: Name -> (law at n beta and gamma, exact value), made anew for every seed where the law has data.
Case = Callable[[int], tuple[oracle.LossField, float, float, float]]


def cases() -> dict[str, Case]:
    """Every case."""
    made: dict[str, Case] = {
        "quadratic, d = 5": lambda seed: (
            oracle.quadratic(), NBETA, 1.0, oracle.quadratic_coefficient(oracle.PRECISIONS, NBETA, 1.0)
        ),
        "tanh unit at 0": lambda seed: (
            oracle.tanh_unit()[0], NBETA, 1.0, oracle.rectangle_coefficient(oracle.tanh_unit()[1], NBETA, 1.0)
        ),
        "reduced rank 5 x 1 x 5 at 0": lambda seed: (
            oracle.rank_one_origin(5, 5), NBETA, 1.0, oracle.reduced_rank_origin_coefficient(5, 5, NBETA, 1.0)
        ),
        "deep linear 3 x 3 x 3, full rank": lambda seed: (
            oracle.full_rank_fibre(3), 10 * NBETA, 1.0, oracle.local_rank_coefficient(3, 3, 3, 3, 3, 3)
        ),
        "conjugate mean, d = 3": conjugate,
        "y = a b x, beta 1 / ln n": lambda seed: product(seed, 1 / math.log(100)),
        "y = a b x, beta 1": lambda seed: product(seed, 1.0),
    }  # fmt: skip
    for a, b in ((1, 0), (2, 0), (1, 1), (2, 1), (2, 2)):
        name = f"w1^{2 * a} w2^{2 * b}" if b else f"w1^{2 * a}"
        made[name] = lambda seed, a=a, b=b: (  # type: ignore[misc]
            oracle.normal_crossing(a, b), NBETA, 1.0, oracle.normal_crossing_coefficient(a, b, NBETA, 1.0)
            if b else oracle.rectangle_coefficient(lambda w, v: w ** (2 * a) + 0 * v, NBETA, 1.0)
        )  # fmt: skip
    return made


def conjugate(seed: int) -> tuple[oracle.LossField, float, float, float]:
    """Test vector T8."""
    model = posterior_data.GaussianMean(np.random.default_rng(seed).normal(size=(20, 3)), 1.0, 2.0)
    return model.field, 20.0, 2.0, model.exact()["learning-coefficient"]


def product(seed: int, beta: float) -> tuple[oracle.LossField, float, float, float]:
    """Test vector T9."""
    generator = np.random.default_rng(seed)
    model = posterior_data.Product(generator.normal(size=100), generator.normal(size=100), 1.0)
    return model.field, 100 * beta, 1.0, model.exact(beta)["learning-coefficient"]


def runs(names: list[str], seeds: int, precision: float) -> Iterator[dict[str, object]]:
    """One row a case and seed."""
    made = cases()
    for seed in range(seeds):
        for name in names or list(made):
            field, nbeta, gamma, exact = made[name](seed)
            number = lambda value: torch.tensor([value], dtype=torch.float64)  # noqa: E731
            law = Target.of(field, torch.tensor([0]), number(nbeta), number(gamma), 8)
            start = time.process_time()
            draws = sample(law, Settings(precision=precision, seed=seed))[0]
            series = draws.nbeta * (draws.recorded.mean_losses - draws.centre_losses.mean())
            yield {
                "case": name, "seed": seed, "exact": exact, "value": float(series.mean()),
                "error": monte_carlo_error(series), "heat_capacity": float(series.var()), "quadratic": draws.effective,
                "converged": draws.equilibrium.converged, "reason": draws.equilibrium.reason,
                "sweeps": draws.sweeps, "cpu_seconds": time.process_time() - start,
            }  # fmt: skip


def table(rows: list[dict[str, object]]) -> str:
    """The rows as Markdown, one line a case."""
    lines = [
        "| law | exact | mean of seeds | quadratic | seeds | reported | within 10 % or 3 s.e. | 90 % covers | CPU s |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name in dict.fromkeys(str(row["case"]) for row in rows):
        own = [row for row in rows if row["case"] == name]
        good = [row for row in own if row["converged"]]
        values, exact, error = (np.array([float(str(row[key])) for row in good]) for key in ("value", "exact", "error"))
        away = np.abs(values - exact)
        right = int((away <= np.maximum(0.1 * exact, 3 * error)).sum())
        covered = int((away <= 1.645 * error).sum())
        seconds = np.mean([float(str(row["cpu_seconds"])) for row in own])
        quadratic = np.mean([float(str(row["quadratic"])) for row in own])
        lines.append(
            f"| {name} | {exact.mean():.4f} | {values.mean():.4f} | {quadratic:.2f} | {len(own)} | {len(good)} | "
            f"{right} of {len(good)} | {covered} of {len(good)} | {seconds:.1f} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Run, write, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--precision", type=float, default=0.05)
    parser.add_argument("--case", action="append", default=[])
    parser.add_argument("--json", default="", help="one row a line, written as they come")
    given = parser.parse_args()
    torch.set_num_threads(1)
    rows = []
    for row in runs(given.case, given.seeds, given.precision):
        rows.append(row)
        if given.json:
            with Path(given.json).open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")
    print(table(rows))


if __name__ == "__main__":
    main()
