"""Prediction on the atlas: do intervals cover cells that were left out, how wide are they, and is another task recognised?

Run it with ``python benchmarks/predict.py [REPEATS]``; 20 repeats take about two minutes on two cores.
"""

import sys

import numpy as np

from heldout.atlas import atlas_table, cells_of
from heldout.engine.evidence.ledger_columns import measures_from_training_data
from heldout.engine.predicting import fitted_predictor
from heldout.verbs.predict import STRANGE, TARGETS

LEVEL = 0.9
LEFT_OUT = 0.2  # of the cells


def main(repeats: int = 20) -> None:
    """Print coverage, width and error on cells that were left out, and abstentions on a task that was.

    Args:
        repeats: Random choices of the cells that are left out.
    """
    table = atlas_table()
    cheap = [f"measure.{unit.name}" for unit in measures_from_training_data(dear=False)]
    names = [name for name in cheap if name in table and table[name].notna().mean() >= 0.99]
    table = table[table[names].notna().all(axis=1)].reset_index(drop=True)
    features, cells = table[names].to_numpy(dtype=np.float64), cells_of(table)
    print(f"{len(table)} networks in {cells.max() + 1} cells, {len(names)} readings, level {LEVEL}")
    for target in TARGETS:
        truth = table[target].to_numpy(dtype=np.float64)
        rows = np.array([_left_out(features, truth, cells, seed) for seed in range(repeats)])
        covered, width, error, guess, familiar = rows.mean(0)
        spread = rows[:, 0].std(ddof=1) / np.sqrt(repeats)
        print(
            f"{target:9} coverage {covered:.3f} (standard error {spread:.3f}), width {width:.3f}, mean error {error:.4f}; "
            f"the mean of all networks errs by {guess:.4f}; abstains on {100 * (1 - familiar):.1f} %"
        )
    tasks = table["hp.task"].to_numpy()
    for task in np.unique(tasks):
        here = tasks == task
        predictor = fitted_predictor(features[~here], truth[~here], cells[~here], level=LEVEL, seed=0)
        least = max(STRANGE, 1 / (len(np.unique(predictor.groups)) + 1))  # as heldout.predict has it
        strange = (predictor(features[here]).familiar <= least).mean()
        print(
            f"grown and calibrated without {task}: their readings alone are strange in {100 * strange:.1f} % of its networks"
        )


def _left_out(features: np.ndarray, truth: np.ndarray, cells: np.ndarray, seed: int) -> tuple[float, ...]:
    order = np.random.default_rng(seed).permutation(np.unique(cells))
    out = np.isin(cells, order[: int(LEFT_OUT * len(order))])
    found = fitted_predictor(features[~out], truth[~out], cells[~out], level=LEVEL, seed=seed)(features[out])
    own = truth[out]
    weight = 1 / np.bincount(cells[out], minlength=cells.max() + 1)[cells[out]]  # a new cell, then a network of it
    weight /= weight.sum()
    covered = (found.low <= own) & (own <= found.high)
    return (
        float((weight * covered).sum()),
        float((weight * (found.high - found.low)).sum()),
        float((weight * np.abs(found.value - own)).sum()),
        float((weight * np.abs(truth[~out].mean() - own)).sum()),
        float((found.familiar > STRANGE).mean()),
    )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
