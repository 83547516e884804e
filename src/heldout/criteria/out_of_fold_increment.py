"""How much better the target of unseen configurations is foretold with the measure than without it."""

import numpy as np
from sklearn.ensemble import RandomForestRegressor
from sklearn.utils.parallel import Parallel, delayed

from heldout.catalog import criterion
from heldout.engine.judging import Design
from heldout.engine.judging.design import Codes, Floats

FOLDS = 5
TREES = 40


@criterion(
    source="Marginal baseline evaluation (out-of-fold increment), here with the measure's own design part in the baseline",
    range=(-np.inf, 1.0),
    chance=0.0,
    replicates=0,
    parts=("value", "standard-error"),
)
def out_of_fold_increment(measures: Floats, target: Floats, design: Design, seed: int) -> dict[str, Floats]:
    r"""Share of a forest's squared error that the measure takes away, on configurations the forest has not seen.

    .. math:: 1 - \frac{\sum_i (g_i - f(h_i, \bar\mu_{-i}, \mu_i))^2}{\sum_i (g_i - f_0(h_i, \bar\mu_{-i}))^2}

    Both forests see the hyper-parameters h and :math:`\bar\mu_{-i}`, the mean of the measure over the *other* seeds of the same
    configuration; one sees the network's own value too. A proxy of the design is thereby in the baseline already, however
    it bends: without this, forests give proxies an increment in up to every ledger. What is left is what the measure knows of the
    single network. Folds keep a configuration together. A ledger with one seed a configuration has no such increment.

    Args:
        measures: ``[K, N]``.
        target: ``[N]``.
        design: Of the N networks.
        seed: Of folds and forests.

    Returns:
        The share ``[K]`` and its standard error over configurations; NaN where fewer than ten configurations have two seeds.

    Example:
        >>> from heldout.engine.judging import designed
        >>> draws = np.random.default_rng(0).normal(size=60)
        >>> design = designed({"width": np.arange(60) % 4, "rate": np.arange(60) // 4 % 5})
        >>> found = out_of_fold_increment(draws[None], draws, design, 0)
        >>> bool(found["value"][0] > 0.5)
        True
    """
    sizes = np.bincount(design.configurations)
    rows = np.flatnonzero(sizes[design.configurations] > 1)
    if (sizes > 1).sum() < 2 * FOLDS:
        nothing = np.full(len(measures), np.nan)
        return {"value": nothing, "standard-error": nothing.copy()}
    cells, goal = design.configurations[rows], target[rows]
    _, places = np.unique(cells, return_inverse=True)  # lonely seeds take no place, so that no fold is empty
    folds = np.random.default_rng([seed, 4]).permutation(int(places.max()) + 1)[places] % FOLDS
    counts, settings = np.bincount(cells), design.codes[rows]

    def judged(values: Floats) -> tuple[float, float]:
        others = (np.bincount(cells, values)[cells] - values) / np.maximum(counts[cells] - 1, 1)
        known = np.column_stack([settings, others])
        without = _foretold(known, goal, folds, seed)
        with_it = _foretold(np.column_stack([known, values - others]), goal, folds, seed)
        return _share(np.square(goal - without), np.square(goal - with_it), cells)

    # trees grow without Python's lock, and every forest has its own seed: threads change no bit
    workers = Parallel(n_jobs=-1, backend="threading")
    increments, errors = zip(*workers(delayed(judged)(values) for values in measures[:, rows]), strict=True)
    return {"value": np.array(increments), "standard-error": np.array(errors)}


def _foretold(features: Floats, goal: Floats, folds: Codes, seed: int) -> Floats:
    answer = np.empty(len(goal))
    for fold in range(FOLDS):
        held = folds == fold
        forest = RandomForestRegressor(TREES, min_samples_leaf=3, max_features=0.7, random_state=seed + fold)
        answer[held] = forest.fit(features[~held], goal[~held]).predict(features[held])
    return answer


def _share(without: Floats, with_it: Floats, cells: Codes) -> tuple[float, float]:
    """The share of error taken away, and its standard error by the delta method over configurations."""
    base = np.bincount(cells, without)
    gained = np.bincount(cells, without - with_it)
    present = np.bincount(cells) > 0
    base, gained = base[present], gained[present]
    if base.sum() <= 0:
        return 0.0, 0.0
    share = gained.sum() / base.sum()
    rest = gained - share * base
    return float(share), float(np.sqrt(len(rest) / max(len(rest) - 1, 1) * np.square(rest).sum()) / base.sum())
