"""Conditional mutual information of what a network says and which examples of a supersample it saw, estimated."""

import numpy as np

from heldout.catalog import bound
from heldout.engine.evidence.supersample import Counts, Supersampled
from heldout.engine.numerics.conditional_information import (
    by_chance,
    coded,
    mean_root,
    miller_madow,
    plug_in,
    symmetric_information,
)
from heldout.records import Bounded, Status

CERTIFIES = "networks trained by the recipe on half of the supersample, on average over samples"
STATEMENT = (
    "an expectation over samples and coins, its information estimated from one supersample; no probability is attached"
)
SHUFFLES = 100


@bound(
    source="Wang and Mao 2023 (loss-difference mutual information)",
    certifies=CERTIFIES,
    statement="an expectation over samples and coins, its information estimated by pooling exchangeable pairs; no probability",
    family="information",
    standing=Status.ESTIMATE,
)
def loss_difference_mi(supersampled: Supersampled, *, log_delta: float) -> Bounded:
    r"""Training error plus what the difference of a pair's two losses tells about the coin, the pair itself being unknown.

    .. math:: E[R - \hat R] \le \frac1n \sum_i \sqrt{2 I(\Delta L_i; U_i)}

    Pairs are exchangeable, and so are the two of a pair: their outcomes are pooled, and counted again with the two swapped. Where
    every seen example is right, the risk itself is :math:`\frac1n \sum_i I(\Delta L_i; U_i) / \ln 2`: it is given as the term
    ``risk if interpolating``. The standard error is over pairs, by the jackknife; one network's pairs are not quite independent.

    Args:
        supersampled: Answers to pairs.
        log_delta: Not used.

    Returns:
        Estimates and their account.

    Example:
        >>> coins = np.array([[0], [1]])
        >>> labels = np.zeros((1, 1, 2), dtype=np.int64)
        >>> answers = np.array([[[[0, 1]], [[1, 0]]]])  # what is seen is right, what is hidden wrong
        >>> said = loss_difference_mi(Supersampled(answers, labels, coins), log_delta=-3.0)
        >>> print(f"{said.terms['risk if interpolating'][0]:.2f}")
        1.00
    """
    kinds = np.swapaxes(
        1 + supersampled.hidden - supersampled.seen, 1, 2
    )  # difference and coin, up to swapping the two
    counts = (kinds[..., None] == np.arange(3)).sum(2)  # [M, n, 3]
    pooled = counts.sum(1)
    information = symmetric_information(pooled)
    seen, hidden = supersampled.seen.mean((1, 2)), supersampled.hidden.mean((1, 2))
    gap, pairs = np.sqrt(2 * information), counts.shape[1]
    without = np.sqrt(2 * symmetric_information(pooled[:, None] - counts))  # one pair
    error = np.sqrt((pairs - 1) * without.var(1)) if pairs > 1 else np.full(len(gap), np.inf)
    terms = {
        "gap": gap,
        "standard error": error,
        "gap that was seen": hidden - seen,
        "draws": np.full(len(gap), float(len(supersampled.choices))),
    }
    if not supersampled.seen.any():
        terms["risk if interpolating"] = information / np.log(2.0)
    return Bounded(seen + gap, (), seen, pairs, data=supersampled.data, terms=terms)


@bound(
    source="Wang and Mao 2023 (loss-difference conditional mutual information)",
    certifies=CERTIFIES,
    statement=STATEMENT,
    family="information",
    standing=Status.ESTIMATE,
)
def loss_difference_cmi(supersampled: Supersampled, *, log_delta: float) -> Bounded:
    r"""The same with each pair known: what the difference of its losses tells about its own coin.

    .. math:: E[R - \hat R] \le \frac1n \sum_i E \sqrt{2 I(\Delta L_i; U_i | \tilde Z)}

    The information of every pair is the plug-in estimate less its first-order bias; what shuffled coins give by chance stands beside
    it, and an estimate that is not far above that says nothing. The pairs are conditioned on: their own draw is not seen.

    Args:
        supersampled: Answers to pairs.
        log_delta: Not used.

    Returns:
        Estimates and their account.

    Example:
        >>> nothing = Supersampled(np.zeros((1, 4, 3, 2), int), np.zeros((1, 3, 2), int), np.tile([[0], [1]], (2, 3)))
        >>> loss_difference_cmi(nothing, log_delta=-3.0).value.tolist()
        [0.0]
    """
    difference = supersampled.errors[..., 1] - supersampled.errors[..., 0]
    return _bounded(supersampled, np.swapaxes(difference + 1, 1, 2))


@bound(
    source="Steinke and Zakynthinou 2020, section 6; Hellstroem and Durisi 2022, Corollary 1 (evaluated CMI)",
    certifies=CERTIFIES,
    statement=STATEMENT,
    family="information",
    standing=Status.ESTIMATE,
)
def e_cmi(supersampled: Supersampled, *, log_delta: float) -> Bounded:
    """The same with both losses of a pair instead of their difference: more outcomes, so at least as much information.

    Args:
        supersampled: Answers to pairs.
        log_delta: Not used.

    Returns:
        Estimates and their account.

    Example:
        >>> nothing = Supersampled(np.zeros((1, 4, 3, 2), int), np.zeros((1, 3, 2), int), np.tile([[0], [1]], (2, 3)))
        >>> e_cmi(nothing, log_delta=-3.0).value.tolist()
        [0.0]
    """
    errors = supersampled.errors
    return _bounded(supersampled, np.swapaxes(2 * errors[..., 0] + errors[..., 1], 1, 2))


@bound(
    source="Harutyunyan et al. 2021, Theorem 3.1 with m = 1 (functional CMI)",
    certifies=CERTIFIES,
    statement=STATEMENT,
    family="information",
    standing=Status.ESTIMATE,
)
def f_cmi(supersampled: Supersampled, *, log_delta: float) -> Bounded:
    """The same with the classes that are named for a pair: the most outcomes of the three, and the largest bias.

    Args:
        supersampled: Answers to pairs.
        log_delta: Not used.

    Returns:
        Estimates and their account.

    Example:
        >>> nothing = Supersampled(np.zeros((1, 4, 3, 2), int), np.zeros((1, 3, 2), int), np.tile([[0], [1]], (2, 3)))
        >>> f_cmi(nothing, log_delta=-3.0).value.tolist()
        [0.0]
    """
    return _bounded(supersampled, np.stack([coded(np.swapaxes(own, 0, 1)) for own in supersampled.answers]))


def _bounded(supersampled: Supersampled, outcomes: Counts) -> Bounded:
    """What outcomes ``[M, n, D]`` bound."""
    coins = supersampled.choices.T
    gap, null = mean_root(miller_madow(outcomes, coins)), []
    for own in outcomes:
        generator = np.random.default_rng([supersampled.seed, 7])
        null.append(by_chance(own, coins, shuffles=SHUFFLES, generator=generator))
    chance = np.stack(null)
    seen = supersampled.seen.mean((1, 2))
    return Bounded(
        value=seen + gap,
        steps=(),
        empirical_risk=seen,
        examples=coins.shape[0],
        data=supersampled.data,
        terms={
            "gap": gap,
            "gap without correction": mean_root(plug_in(outcomes, coins)),
            "gap by chance": chance.mean(1),
            "p-value": (1 + (chance >= gap[:, None]).sum(1)) / (SHUFFLES + 1),
            "gap that was seen": supersampled.hidden.mean((1, 2)) - seen,
            "draws": np.full(len(gap), float(coins.shape[1])),
        },
    )
