"""Rows that a table of measures must carry: oracles with noise, a random number, the order that the design alone would give."""

import numpy as np

from heldout.engine.judging.design import Design, Floats
from heldout.engine.judging.signs import agreement

NOISE = (0.02, 0.05)


def controls(errors: Floats, design: Design, seed: int) -> dict[str, Floats]:
    """Measures whose worth is known.

    Args:
        errors: The target, ``[N]``.
        design: Of the networks.
        seed: Of the noise.

    Returns:
        Name -> ``[N]``: the target with noise of standard deviation 0.02 and 0.05 (Jiang et al. 2020), a random number, and the
        canonical ordering, the sum over hyper-parameters of the mean target at each value, over the networks of all other
        configurations.
    """
    draws = np.random.default_rng([seed, 5])
    found = {f"oracle with noise {noise:g}": errors + noise * draws.normal(size=len(errors)) for noise in NOISE}
    found["random"] = draws.normal(size=len(errors))
    found["canonical ordering"] = canonical(errors, design)
    return found


def canonical(errors: Floats, design: Design) -> Floats:
    """What the hyper-parameters' main effects, estimated without a network's own configuration, say of it.

    Args:
        errors: ``[N]``.
        design: Of the networks.

    Returns:
        ``[N]``.

    Example:
        >>> from heldout.engine.judging import designed
        >>> design = designed({"width": np.arange(9) // 3, "rate": np.arange(9) % 3})
        >>> canonical(10.0 * (np.arange(9) // 3), design).round().astype(int).tolist()
        [15, 15, 15, 20, 20, 20, 25, 25, 25]
    """
    total = np.zeros(len(errors))
    cells = int(design.configurations.max()) + 1
    own_sum, own_count = (
        np.bincount(design.configurations, errors, cells),
        np.bincount(design.configurations, minlength=cells),
    )
    for codes in design.codes.T:
        sums, counts = np.bincount(codes, errors), np.bincount(codes)
        rest = counts[codes] - own_count[design.configurations]
        others = (sums[codes] - own_sum[design.configurations]) / np.maximum(rest, 1)
        total += np.where(rest > 0, others, errors.mean())
    return total


def ceiling(errors: Floats, test_size: float, seed: int, draws: int = 100) -> float:
    """Kendall's tau that the exact target itself would reach against targets measured on so many examples.

    The spread of the exact target is what is left of the measured one after the binomial noise of an error rate; where nothing is
    left the ceiling is 0.

    Args:
        errors: Measured error rates or gaps, ``[N]``.
        test_size: Examples behind each; infinite gives 1.
        seed: Of the draws.
        draws: How many ledgers.

    Returns:
        Mean tau, 0 to 1.
    """
    if not np.isfinite(test_size):
        return 1.0
    rate = float(np.clip(np.abs(errors).mean(), 1 / test_size, 0.5))
    noise = rate * (1 - rate) / test_size
    spread = max(float(errors.var()) - noise, 0.0)
    if spread == 0:
        return 0.0
    random = np.random.default_rng([seed, 6])
    exact = np.sqrt(spread) * (errors - errors.mean()) / errors.std()
    seen = exact + np.sqrt(noise) * random.normal(size=(draws, len(errors)))
    first, second = np.triu_indices(len(errors), 1)
    once = np.ones((1, len(errors)))
    return float((agreement(exact[None], seen, once, first, second, np.ones(1))[0] / len(first)).mean())
