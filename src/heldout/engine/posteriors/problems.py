"""Problems of known risk for the simulator: a finite class, and a posterior over it that was chosen after seeing the sample."""

from typing import NamedTuple

import numpy as np

from heldout.engine.posteriors.records import Floats, Gibbs, SingleDraw

KINDS, CLASS, EXAMPLES, REPETITIONS = 100, 40, 60, 40
CHANCE = 0.3  # of an error of a predictor on a kind: all are about equally good, so that the best on a sample was lucky


class Known(NamedTuple):
    """Evidence with the true risks.

    Attributes:
        gibbs: One member a problem.
        gibbs_risk: Of the Gibbs predictor, ``[M]``.
        single_risk: Of the one draw, ``[M]``.
        vote_risk: Of the majority vote, a tie being an error, ``[M]``.
    """

    gibbs: Gibbs
    gibbs_risk: Floats
    single_risk: Floats
    vote_risk: Floats


def known_problems(generator: np.random.Generator, problems: int) -> Known:
    """Draw problems.

    Examples come in kinds of equal chance, and a predictor errs on a kind or does not: risks are exact. The posterior is the most
    favourable of a few temperatures that the theorem leaves free, down to the predictor of least empirical risk; so is the prior,
    one of two, which is paid for.

    Args:
        generator: Randomness.
        problems: M.

    Returns:
        Evidence and true risks.
    """
    errs = (generator.random((problems, CLASS, KINDS), dtype=np.float32) < CHANCE).astype(np.float32)  # [M, H, kinds]
    counts = generator.multinomial(EXAMPLES, np.full(KINDS, 1 / KINDS), size=problems)
    empirical = np.matmul(errs, counts[..., None].astype(np.float32))[..., 0].astype(np.float64) / EXAMPLES
    priors = np.stack([np.full(CLASS, 1 / CLASS), 0.7 ** np.arange(CLASS) / (0.7 ** np.arange(CLASS)).sum()])
    best, chosen, nats, ratio = np.full(problems, np.inf), np.zeros((problems, CLASS)), np.zeros(problems), None
    for prior in priors:
        for temperature in (0.1, 0.5, 1.0, 2.0, 20.0):
            logs = np.log(prior) - temperature * EXAMPLES * empirical
            rho = np.exp(logs - logs.max(1, keepdims=True))
            rho /= rho.sum(1, keepdims=True)
            spread = np.where(rho > 0, rho * np.log(np.maximum(rho, 1e-300) / prior), 0.0).sum(1)
            score = (rho * empirical).sum(1) + np.sqrt(spread / (2 * EXAMPLES))
            better = score < best
            best, nats = np.where(better, score, best), np.where(better, spread, nats)
            chosen[better] = rho[better]
            logged = np.log(np.maximum(rho, 1e-300) / prior)
            ratio = logged if ratio is None else np.where(better[:, None], logged, ratio)
    assert ratio is not None
    chance = np.matmul(chosen[:, None], errs)[:, 0].clip(0, 1)  # of an error of the Gibbs predictor, by kind
    pairs = counts * (REPETITIONS // 2)
    both = generator.binomial(pairs, chance**2)
    one = generator.binomial(pairs - both, np.where(chance < 1, 2 * chance / (1 + chance), 0.0))
    drawn = (generator.random((problems, 1)) < chosen.cumsum(1)).argmax(1)
    rows = np.arange(problems)
    gibbs = Gibbs(
        divergence=nats,
        price=np.full(problems, np.log(len(priors))),
        risk=(2 * both + one).sum(1) / (EXAMPLES * REPETITIONS),
        draws=EXAMPLES * REPETITIONS,
        examples=EXAMPLES,
        single=SingleDraw(empirical[rows, drawn], ratio[rows, drawn]),
        pair_risk=both.sum(1) / (EXAMPLES * REPETITIONS // 2),
        pairs=EXAMPLES * REPETITIONS // 2,
        reference_errors=np.round(empirical[:, 0] * EXAMPLES),
    )
    return Known(gibbs, chance.mean(1), errs.mean(2, dtype=np.float64)[rows, drawn], (chance >= 0.5).mean(1))
