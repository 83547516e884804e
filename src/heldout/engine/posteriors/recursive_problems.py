"""Problems of known risk for the recursive bound: a finite class, and posteriors chosen after seeing one part after the other."""

import numpy as np

from heldout.engine.posteriors.problems import CHANCE, CLASS, KINDS, REPETITIONS
from heldout.engine.posteriors.records import Floats, Recursion

PARTS = (30, 30)
GAMMA = 0.5


def recursive_problems(generator: np.random.Generator, problems: int) -> tuple[Recursion, Floats]:
    """Draw problems.

    The first posterior is chosen on the first part from a uniform prior, the second on both parts from the first; of a few
    temperatures the one that flatters most.

    Args:
        generator: Randomness.
        problems: M.

    Returns:
        Evidence, and the true risks of the second posterior.
    """
    errs = (generator.random((problems, CLASS, KINDS), dtype=np.float32) < CHANCE).astype(np.float32)
    counts = [generator.multinomial(size, np.full(KINDS, 1 / KINDS), size=problems) for size in PARTS]
    wrong = [np.matmul(errs, part[..., None].astype(np.float32))[..., 0].astype(np.float64) for part in counts]
    uniform = np.full((problems, CLASS), 1 / CLASS)
    first, first_nats = _flattering(uniform, wrong[0], PARTS[0])
    second, second_nats = _flattering(first, wrong[0] + wrong[1], sum(PARTS))
    before, after = (np.matmul(rho[:, None], errs)[:, 0].clip(0, 1) for rho in (first, second))
    everything = counts[0] + counts[1]
    risk = generator.binomial(everything * REPETITIONS, before).sum(1) / (sum(PARTS) * REPETITIONS)
    chances = np.stack(
        [after * (1 - before), after * before, (1 - after) * (1 - before), (1 - after) * before], axis=-1
    )
    drawn = generator.multinomial(counts[1] * REPETITIONS, chances / chances.sum(-1, keepdims=True)).sum(1)
    worst, both, neither, _ = drawn.T / (PARTS[1] * REPETITIONS)
    found = Recursion(
        divergence=np.stack([first_nats, second_nats]),
        price=np.zeros(problems),
        risk=risk,
        shares=np.stack([worst + both + neither, worst + both, worst])[None],
        draws=(sum(PARTS) * REPETITIONS, PARTS[1] * REPETITIONS),
        examples=(sum(PARTS), PARTS[1]),
        gamma=GAMMA,
    )
    return found, after.mean(1)


def _flattering(prior: Floats, wrong: Floats, size: int) -> tuple[Floats, Floats]:
    best, chosen, nats = np.full(len(prior), np.inf), prior, np.zeros(len(prior))
    for temperature in (0.1, 0.5, 1.0, 2.0, 5.0):
        logs = np.log(np.maximum(prior, 1e-300)) - temperature * wrong
        rho = np.exp(logs - logs.max(1, keepdims=True))
        rho /= rho.sum(1, keepdims=True)
        spread = np.where(rho > 0, rho * np.log(np.maximum(rho, 1e-300) / np.maximum(prior, 1e-300)), 0.0).sum(1)
        score = (rho * wrong).sum(1) / size + np.sqrt(spread / (2 * size))
        better = score < best
        best, nats = np.where(better, score, best), np.where(better, spread, nats)
        chosen = np.where(better[:, None], rho, chosen)
    return chosen, nats
