"""The numbers of a ledger that decide claims: each takes multiplicities and gives one value for every ledger drawn again."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from heldout.catalog import units
from heldout.engine.judging import Design
from heldout.engine.judging.design import Codes, Floats
from heldout.engine.judging.ledger import Ledger
from heldout.engine.judging.signs import agreement
from heldout.records import NotApplicable

#: A ledger and multiplicities ``[R, N]`` -> ``[R]``.
Ask = Callable[[Ledger, Floats], Floats]
FAMILIES = {"norms": ("distances", "frobenius_norms", "spectral_norms", "paths", "pacbayes")}
FEWEST = 8  # networks of a task


def published(kind: str) -> tuple[str, ...]:
    """Measures of the catalog by what they are.

    Args:
        kind: ``norms``: those that are no logarithms, as they are divided by numbers of examples.

    Returns:
        Their names.
    """
    return tuple(
        name for name, unit in units("measure").items() if unit.family in FAMILIES[kind] and not name.startswith("log-")
    )


def wrong(names: Sequence[str], axis: str, *, divided: bool = False) -> Ask:
    """The mean sign error of measures on one hyper-parameter.

    Args:
        names: Of the measures; those that the ledger lacks are left out.
        axis: The hyper-parameter.
        divided: Whether measures are divided by its value first.

    Returns:
        The statistic.
    """

    def ask(ledger: Ledger, drawn: Floats) -> Floats:
        part, number, rows = _part(ledger, names, axis, numeric=divided)
        values = part.oriented()
        if divided:
            values = values / np.asarray(part.hyper_parameters[axis], dtype=np.float64)
        return _sign_error(part, values, drawn[:, rows], number).mean(axis=0)

    called = names[0] if len(names) == 1 else "norms and PAC-Bayes measures"
    ask.__doc__ = (
        f"Mean sign error of {called} on {axis}{', divided by the number of training examples' if divided else ''}."
    )
    return ask


def size_identity(axes: Sequence[str]) -> Ask:
    """How far the sign error of the parameter count is from the share of environments where the larger network is better.

    Args:
        axes: Hyper-parameters that make networks larger.

    Returns:
        The statistic.
    """

    def ask(ledger: Ledger, drawn: Floats) -> Floats:
        """Largest difference between the parameter count's sign error and the share in which the larger network is better."""
        apart = []
        for axis in axes:
            part, number, rows = _part(ledger, ("params",), axis, numeric=True)
            larger = part.design.codes[:, number].astype(np.float64)
            found = _sign_error(part, np.stack([part.oriented()[0], larger]), drawn[:, rows], number)
            apart.append(np.abs(found[0] - found[1]))
        return np.asarray(np.max(apart, axis=0))

    return ask


def depth_paradox(name: str) -> Ask:
    """Tau over all networks minus its mean within a depth.

    Args:
        name: Of the measure.

    Returns:
        The statistic.
    """

    def ask(ledger: Ledger, drawn: Floats) -> Floats:
        part, number, rows = _part(ledger, (name,), "depth")
        weights, depth = drawn[:, rows], part.design.codes[:, number]
        first, second = np.triu_indices(part.design.networks, 1)
        same = depth[first] == depth[second]
        return _tau(part, weights, first, second) - np.mean(
            [
                _tau(part, weights, *_inside(first, second, same & (depth[first] == value)))
                for value in np.unique(depth)
            ],
            axis=0,
        )

    ask.__doc__ = f"Kendall's tau of {name} over all networks, minus its mean within a depth."
    return ask


def collapse(ledger: Ledger, drawn: Floats) -> Floats:
    """Score on other tasks over the score on the task that the measure was chosen on, by the competition's score."""
    part = max(ledger.complete(), key=lambda one: len(one.measures) * one.design.networks, default=None)
    axis = None if part is None else _tasks(part.design)
    if part is None or axis is None or len(part.measures) < 5:
        raise NotApplicable(
            "it takes five measures and a hyper-parameter that cuts the ledger into tasks of eight networks",
            do="judge a larger ledger",
        )
    score = units("criterion")["competition-score"].function
    rows = np.flatnonzero(np.isfinite(ledger.measures[next(iter(part.measures))]))
    weights = drawn[:, rows]
    found = []
    for value in range(part.design.levels[axis]):
        own = np.flatnonzero(part.design.codes[:, axis] == value)
        task = part.take(own)
        found.append(score(task.oriented(), task.errors[None], weights[:, own], task.design))
    scores = np.stack(found)  # [tasks, K, R]
    best = scores.argmax(axis=1)
    chosen = np.take_along_axis(scores, best[None].transpose(1, 0, 2), axis=1)[:, 0]
    others = []
    for public in range(len(scores)):
        private = np.delete(scores, public, axis=0)
        others.append(np.take_along_axis(private, best[public][None, None], axis=1)[:, 0].mean(axis=0))
    return np.asarray(np.mean(others, axis=0) / np.maximum(chosen.mean(axis=0), 1e-12))


def _tasks(design: Design) -> int | None:
    """The hyper-parameter whose values are tasks: the one with most values whose every task varies in two others."""
    best, most = None, 1
    for axis, levels in enumerate(design.levels):
        sizes = np.bincount(design.codes[:, axis], minlength=levels)
        if sizes.min() >= FEWEST and len(design.axes) > 2 and levels > most:
            best, most = axis, levels
    return best


def _part(ledger: Ledger, names: Sequence[str], axis: str, *, numeric: bool = False) -> tuple[Ledger, int, Codes]:
    """The networks that have these measures, the hyper-parameter's number among them, and their rows."""
    have = {name: ledger.measures[name] for name in names if name in ledger.measures}
    have = {name: values for name, values in have.items() if np.isfinite(values).any()}
    if not have:
        raise NotApplicable(f"the ledger has no measure {names[0]}", do=f"add a column measure.{names[0]}")
    rows = np.flatnonzero(np.isfinite(np.stack(list(have.values()))).all(axis=0))
    part = replace(ledger, measures=have).take(rows)
    if axis not in part.design.axes:
        raise NotApplicable(
            f"the ledger has no hyper-parameter '{axis}' that varies", do="add networks that differ in it"
        )
    if numeric and np.asarray(part.hyper_parameters[axis]).dtype.kind not in "iuf":
        raise NotApplicable(f"values of the hyper-parameter '{axis}' are no numbers", do="write numbers")
    return part, part.design.axes.index(axis), rows


def _sign_error(part: Ledger, values: Floats, drawn: Floats, axis: int) -> Floats:
    criterion = units("criterion")["sign-error"].function
    found: Floats = criterion(values, part.errors[None], drawn, part.design, part.test_size, axis=axis)["mean"]
    return found


def _tau(part: Ledger, drawn: Floats, first: np.ndarray, second: np.ndarray) -> Floats:
    sums, total = agreement(part.oriented(), part.errors[None], drawn, first, second, np.ones(1))
    return np.asarray(sums[0] / np.maximum(total, 1e-300))


def _inside(first: np.ndarray, second: np.ndarray, kept: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return first[kept], second[kept]
