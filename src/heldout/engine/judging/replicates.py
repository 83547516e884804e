"""Ledgers that chance could have given: permuted targets, resampled configurations."""

import numpy as np

from heldout.engine.judging.design import Codes, Design, Floats


def permuted(target: Floats, configurations: Codes, count: int, seed: int) -> Floats:
    """Targets without any association: those of a whole configuration are dealt to another one, in any order.

    Dealing whole configurations keeps the ledger as clustered as it was; dealing single networks would make chance look narrower.
    Where configurations differ in size, their means are dealt, and what is left of each network on its own.

    Args:
        target: ``[N]``.
        configurations: ``[N]``.
        count: How many.
        seed: Of the permutations.

    Returns:
        ``[count, N]``.
    """
    draws, sizes = np.random.default_rng([seed, 1]), np.bincount(configurations)
    if (sizes == sizes[0]).all():
        places = np.argsort(configurations, kind="stable")
        blocks = np.tile(target[places].reshape(1, len(sizes), -1), (count, 1, 1))
        order = np.argsort(draws.random((count, len(sizes))), axis=1)
        moved = draws.permuted(np.take_along_axis(blocks, order[:, :, None], axis=1), axis=2)
        dealt = np.empty((count, len(target)))
        dealt[:, places] = moved.reshape(count, -1)
        return dealt
    means = np.bincount(configurations, target) / sizes
    residuals = np.tile(target - means[configurations], (count, 1))
    return draws.permuted(np.tile(means, (count, 1)), axis=1)[:, configurations] + draws.permuted(residuals, axis=1)


def permuted_within(target: Floats, configurations: Codes, count: int, seed: int) -> Floats:
    """Targets dealt out anew among the networks of each configuration: the design keeps its association, seeds lose theirs.

    Args:
        target: ``[N]``.
        configurations: ``[N]``.
        count: How many.
        seed: Of the permutations.

    Returns:
        ``[count, N]``.

    Example:
        >>> permuted_within(np.array([1.0, 2.0, 5.0]), np.array([0, 0, 1]), 8, seed=0)[:, 2].tolist() == [5.0] * 8
        True
    """
    draws = np.random.default_rng([seed, 2])
    order = np.lexsort((draws.random((count, len(target))), np.tile(configurations, (count, 1))), axis=-1)
    places = np.argsort(configurations, kind="stable")
    dealt = np.empty((count, len(target)))
    dealt[:, places] = np.take(target, order)
    return dealt


def resampled(design: Design, count: int, seed: int) -> Floats:
    """How often each network is drawn when configurations are drawn with replacement; the seeds of one stay together.

    Args:
        design: Of the ledger.
        count: How many ledgers.
        seed: Of the draws.

    Returns:
        ``[count, N]``.
    """
    draws = np.random.default_rng([seed, 3])
    configurations = int(design.configurations.max()) + 1
    drawn = draws.multinomial(configurations, np.full(configurations, 1 / configurations), size=count)
    return drawn[:, design.configurations].astype(np.float64)
