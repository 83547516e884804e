"""Rows that a table of measures must carry: oracles with noise, a random number, the order that the design alone would give."""

import numpy as np

from heldout.engine.judging.design import Design, Floats
from heldout.engine.judging.signs import agreement

NOISE = (0.02, 0.05)
RELATIVE = 0.5  # of the target's standard deviation


def controls(errors: Floats, design: Design, seed: int) -> dict[str, Floats]:
    """Measures whose worth is known.

    Args:
        errors: The target, ``[N]``.
        design: Of the networks.
        seed: Of the noise.

    Returns:
        Name -> ``[N]``: the target with noise of standard deviation 0.02 and 0.05 (Jiang et al. 2020) and of half its own, which
        says the same whatever the target's unit; a random number; and the canonical ordering, the sum of the
        hyper-parameters' main effects on the other half of the configurations.
    """
    draws = np.random.default_rng([seed, 5])
    found = {f"oracle with noise {noise:g}": errors + noise * draws.normal(size=len(errors)) for noise in NOISE}
    relative = RELATIVE * errors.std() * draws.normal(size=len(errors))
    found["oracle with relative noise 0.5"] = errors + relative
    found["random"] = draws.normal(size=len(errors))
    found["canonical ordering"] = canonical(errors, design, seed)
    return found


def canonical(errors: Floats, design: Design, seed: int = 0) -> Floats:
    """What the hyper-parameters' main effects say of each network, estimated on the other half of the configurations.

    Halves rather than all others: the mean of all others falls where a network's own value rises, and would point the wrong way on a
    ledger without any effect.

    Args:
        errors: ``[N]``.
        design: Of the networks.
        seed: Of the halves.

    Returns:
        ``[N]``, as distances from the mean.

    Example:
        >>> from heldout.engine.judging import designed
        >>> design = designed({name: np.arange(32) // 2**place % 2 for place, name in enumerate("abcde")})
        >>> canonical(10.0 * design.codes[:, 0], design)[:4].round().astype(int).tolist()
        [-5, 5, -5, 5]
    """
    columns = np.concatenate(
        [
            (codes[:, None] == np.arange(levels)) * 1.0
            for codes, levels in zip(design.codes.T, design.levels, strict=True)
        ],
        axis=1,
    )
    columns -= columns.mean(axis=0)  # what the target is at the mean setting says nothing of a difference
    cells = int(design.configurations.max()) + 1
    half = (np.random.default_rng([seed, 7]).permutation(cells) % 2)[design.configurations] == 0
    found = np.empty(len(errors))
    for own in (half, ~half):
        others = np.concatenate([np.ones((int((~own).sum()), 1)), columns[~own]], axis=1)
        effects = np.linalg.lstsq(others, errors[~own], rcond=None)[0]
        found[own] = columns[own] @ effects[1:]
    return found


def measured_again(errors: Floats, noise: float, seed: int, draws: int = 100) -> tuple[Floats, Floats] | None:
    """Exact targets as they may have been, and what test sets would have said of them.

    The spread of the exact target is what is left of the measured one after the noise of its measurement.

    Args:
        errors: Measured targets, ``[N]``.
        noise: Variance of the measurement.
        seed: Of the draws.
        draws: How many test sets.

    Returns:
        Exact ``[N]`` and measured ``[draws, N]``, one row where there is no noise; None where nobody knows it, or nothing is left of
        the spread.
    """
    spread = float(errors.var()) - noise
    if np.isnan(noise) or spread <= 0:
        return None
    exact = np.sqrt(spread) * (errors - errors.mean()) / errors.std()
    if noise == 0:
        return exact, exact[None]
    random = np.random.default_rng([seed, 6])
    return exact, exact + np.sqrt(noise) * random.normal(size=(draws, len(errors)))


def ceiling(errors: Floats, noise: float, seed: int, draws: int = 100) -> float:
    """Kendall's tau that the exact target itself would reach against targets measured on a finite test set.

    Args:
        errors: Measured error rates or gaps, ``[N]``.
        noise: Variance of the measurement; 0 gives 1.
        seed: Of the draws.
        draws: How many ledgers.

    Returns:
        Mean tau, 0 to 1; 0 where noise explains all of the spread, NaN where nobody knows the noise.
    """
    if np.isnan(noise):
        return float("nan")
    again = measured_again(errors, noise, seed, draws)
    if again is None:
        return 0.0
    if noise == 0:
        return 1.0
    first, second = np.triu_indices(len(errors), 1)
    sums, _ = agreement(again[0][None], again[1], np.ones((1, len(errors))), first, second, np.ones(1))
    return float(sums[0].mean() / len(first))
