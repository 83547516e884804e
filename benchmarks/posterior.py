"""Calibration of sampled posteriors: automatic settings against exactly known values, many seeds.

``python -m benchmarks.posterior --seeds 20 --json posterior.jsonl``. Every case is a law whose learning coefficient at this n and
this localisation is an integral (``tests/oracles``). A seed is right if it lies within 10 % or three of its own
standard errors; the intervals of 90 % should cover nine times in ten. Models with data are read by every observable that has an
exact value there.
"""

import argparse
import json
import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch
from tests.oracles import posterior_data
from tests.oracles import posteriors as oracle

from heldout.catalog import units
from heldout.engine.sampling import Draws, Settings, Target, sample
from heldout.engine.sampling.uncertainty import uncertainty
from heldout.verbs.observing import column_of

N = 1000
NBETA = N / math.log(N)
#: Field, n beta, gamma, and the exact value of the learning coefficient or of every observable.
Law = tuple[oracle.LossField, float, float, dict[str, float]]
#: Made anew for every seed, as some have data.
Case = Callable[[int], Law]
COEFFICIENT = "learning-coefficient"
#: Observables of models with data, beside the coefficient.
READ = (
    "bayes-training-loss", "gibbs-training-loss", "functional-variance", "singular-fluctuation", "waic", "leave-one-out-loss", "wbic",
)  # fmt: skip


def cases() -> dict[str, Case]:
    """Every case."""
    point = oracle.two_hidden_coefficient
    fixed = {
        "quadratic, d = 5": (oracle.quadratic(), NBETA, 1.0, oracle.quadratic_coefficient(oracle.PRECISIONS, NBETA, 1.0)),
        "tanh unit at 0": (oracle.tanh_unit()[0], NBETA, 1.0, oracle.rectangle_coefficient(oracle.tanh_unit()[1], NBETA, 1.0)),
        "reduced rank 5 x 1 x 5 at 0": (
            oracle.rank_one_origin(5, 5), NBETA, 1.0, oracle.reduced_rank_origin_coefficient(5, 5, NBETA, 1.0)
        ),
        "reduced rank 3 x 2 x 5, ranks (0, 0)": (oracle.two_hidden(3, 5), NBETA, 1.0, point(3, 5, NBETA, 1.0)),
        "reduced rank 3 x 2 x 5, ranks (1, 0)": (oracle.two_hidden(3, 5, 3.0), NBETA, 1.0, point(3, 5, NBETA, 1.0, 3.0)),
        "deep linear 3 x 3 x 3, full rank": (
            oracle.full_rank_fibre(3), 10 * NBETA, 1.0, oracle.local_rank_coefficient(3, 3, 3, 3, 3, 3)
        ),
    }  # fmt: skip
    for a, b, gamma in (
        (1, 0, 1.0),
        (2, 0, 1.0),
        (2, 0, 10.0),
        (1, 1, 1.0),
        (1, 1, 10.0),
        (1, 1, 100.0),
        (2, 1, 1.0),
        (2, 2, 1.0),
    ):
        name = (f"w1^{2 * a} w2^{2 * b}" if b else f"w1^{2 * a}") + (f", gamma {gamma:.0f}" if gamma > 1 else "")
        exact = (
            oracle.normal_crossing_coefficient(a, b, NBETA, gamma)
            if b
            else oracle.rectangle_coefficient(lambda w, v, a=a: w ** (2 * a) + 0 * v, NBETA, gamma)  # type: ignore[misc]
        )
        fixed[name] = oracle.normal_crossing(a, b), NBETA, gamma, exact
    made: dict[str, Case] = {
        name: lambda seed, law=law: (*law[:3], {COEFFICIENT: law[3]})  # type: ignore[misc]
        for name, law in fixed.items()
    }
    for beta, words in ((1.0, "beta 1"), (None, "beta 1 / ln n")):
        made[f"conjugate mean, d = 3, {words}"] = lambda seed, beta=beta: conjugate(seed, beta or 1 / math.log(20))  # type: ignore[misc]
        made[f"y = a b x, {words}"] = lambda seed, beta=beta: product(seed, beta or 1 / math.log(100))  # type: ignore[misc]
    return made


def conjugate(seed: int, beta: float) -> Law:
    """Test vector T8."""
    model = posterior_data.GaussianMean(np.random.default_rng(seed).normal(size=(20, 3)), beta, 2.0)
    return model.field, 20 * beta, 2.0, model.exact()


def product(seed: int, beta: float) -> Law:
    """Test vector T9 under a Gaussian prior."""
    generator = np.random.default_rng(seed)
    model = posterior_data.Product(generator.normal(size=100), generator.normal(size=100), 1.0)
    return model.field, 100 * beta, 1.0, model.exact(beta)


def runs(names: list[str], seeds: int, precision: float) -> Iterator[dict[str, object]]:
    """One row a case, seed and observable."""
    made = cases()
    for seed in range(seeds):
        for name in names or list(made):
            field, nbeta, gamma, exact = made[name](seed)
            number = lambda value: torch.tensor([value], dtype=torch.float64)  # noqa: E731
            law = Target.of(field, torch.tensor([0]), number(nbeta), number(gamma), 8)
            start = time.process_time()
            draws = sample(law, Settings(precision=precision, seed=seed))[0]
            spent = time.process_time() - start
            for quantity, (value, error, half) in read(draws, tuple(exact)).items():
                yield {
                    "case": name, "quantity": quantity, "seed": seed, "exact": exact[quantity], "value": value, "error": error,
                    "half": half, "quadratic": draws.effective, "converged": draws.equilibrium.converged,
                    "reason": draws.equilibrium.reason, "sweeps": draws.sweeps, "draws": draws.recorded.mean_losses.shape[1],
                    "cpu_seconds": spent,
                }  # fmt: skip


def read(draws: Draws, names: tuple[str, ...]) -> dict[str, tuple[float, float, float]]:
    """Value, standard error and half the 90 % interval of every quantity; the coefficient is read at saddles too."""
    series = draws.nbeta * (draws.recorded.mean_losses - draws.centre_losses.mean())
    found = uncertainty(series)
    rows = {COEFFICIENT: (float(series.mean()), found.error, found.half_width(0.9))}
    subject = SimpleNamespace(loss=SimpleNamespace(name="gaussian"))
    for name in (name for name in READ if name in names):
        column = column_of(units("observable")[name], draws, (), subject)  # type: ignore[arg-type]
        if np.isfinite(column.value):
            rows[name] = column.value, column.uncertainty.error, column.uncertainty.half_width(0.9)
    return rows


def table(rows: list[dict[str, object]]) -> str:
    """The rows as Markdown, one line a case and quantity."""
    lines = [
        "| law | quantity | exact | mean of seeds | quadratic | reported | within 10 % or 3 s.e. | 90 % covers | draws | CPU s |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for name, quantity in dict.fromkeys((str(row["case"]), str(row["quantity"])) for row in rows):
        own = [row for row in rows if (row["case"], row["quantity"]) == (name, quantity)]
        good = [row for row in own if row["converged"]]
        values, exact, error, half, draws = (
            np.array([float(str(row[key])) for row in good]) for key in ("value", "exact", "error", "half", "draws")
        )
        away = np.abs(values - exact)
        right = int((away <= np.maximum(0.1 * np.abs(exact), 3 * error)).sum())
        covered = int((away <= half).sum())
        seconds, quadratic = (np.mean([float(str(row[key])) for row in own]) for key in ("cpu_seconds", "quadratic"))
        beside = f"{quadratic:.2f}" if quantity == COEFFICIENT else ""
        lines.append(
            f"| {name} | {quantity.replace('-', ' ')} | {exact.mean():.4f} | {values.mean():.4f} | {beside} | "
            f"{len(good)} of {len(own)} | {right} of {len(good)} | {covered} of {len(good)} | {draws.mean():.0f} | {seconds:.1f} |"
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
