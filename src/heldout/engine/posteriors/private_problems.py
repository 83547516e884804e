"""Problems of known risk for private priors: the exponential mechanism names one of a finite class after seeing the sample."""

import numpy as np

from heldout.engine.posteriors.problems import CHANCE, CLASS, EXAMPLES, KINDS, REPETITIONS
from heldout.engine.posteriors.records import Floats, Gibbs, SingleDraw

EPSILON, WEIGHT = 0.25, 0.9  # of the mechanism; of the prior, on the predictor that it names
TEMPERATURES = (0.0, 0.1, 0.5, 1.0, 2.0, 20.0)


def private_problems(generator: np.random.Generator, problems: int) -> tuple[Gibbs, float, Floats]:
    r"""Draw problems.

    Examples come in kinds of equal chance, and a predictor errs on a kind or does not. The mechanism names a predictor with a chance
    proportional to :math:`e^{-\epsilon k / 2}`, k its errors on the sample, which one example moves by one; the prior has most of
    its mass there, the rest on all alike. The posterior is the most favourable of a few temperatures.

    Args:
        generator: Randomness.
        problems: M.

    Returns:
        Evidence, epsilon, and the true risks of the Gibbs predictors.
    """
    errs = (generator.random((problems, CLASS, KINDS), dtype=np.float32) < CHANCE).astype(np.float32)
    counts = generator.multinomial(EXAMPLES, np.full(KINDS, 1 / KINDS), size=problems)
    wrong = np.matmul(errs, counts[..., None].astype(np.float32))[..., 0].astype(np.float64)
    chance = np.exp(-EPSILON / 2 * (wrong - wrong.min(1, keepdims=True)))
    named = (chance.cumsum(1) < generator.random((problems, 1)) * chance.sum(1, keepdims=True)).sum(1)
    prior = np.full((problems, CLASS), (1 - WEIGHT) / CLASS)
    prior[np.arange(problems), named] += WEIGHT
    best, chosen, nats = np.full(problems, np.inf), prior, np.zeros(problems)
    for temperature in TEMPERATURES:
        logs = np.log(prior) - temperature * wrong
        rho = np.exp(logs - logs.max(1, keepdims=True))
        rho /= rho.sum(1, keepdims=True)
        spread = np.where(rho > 0, rho * np.log(np.maximum(rho, 1e-300) / prior), 0.0).sum(1)
        score = (rho * wrong).sum(1) / EXAMPLES + np.sqrt(spread / (2 * EXAMPLES))
        better = score < best
        best, nats = np.where(better, score, best), np.where(better, spread, nats)
        chosen = np.where(better[:, None], rho, chosen)
    errors = np.matmul(chosen[:, None], errs)[:, 0].clip(0, 1)  # of the Gibbs predictor, by kind
    risk = generator.binomial(counts * REPETITIONS, errors).sum(1) / (EXAMPLES * REPETITIONS)
    zero = np.zeros(problems)
    gibbs = Gibbs(nats, zero, risk, EXAMPLES * REPETITIONS, EXAMPLES, SingleDraw(zero, zero), zero, 1)
    return gibbs, EPSILON, errors.mean(1)
