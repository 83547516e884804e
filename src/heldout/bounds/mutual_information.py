"""Mutual information of weights and examples: of exact weights, of noisy ones, example by example, and given pairs."""

import math
from collections.abc import Callable

import numpy as np
from torch import Tensor

from heldout.catalog import bound
from heldout.engine.evidence.scattering import Floats, Scattered
from heldout.engine.evidence.supersample import Supersampled
from heldout.engine.numerics.information_gaps import (
    noisy_information,
    private_information,
    single_information,
    supersample_gap,
    supersample_risk,
    xu_raginsky_gap,
)
from heldout.records import Bounded, Status

NOISY = "networks trained by the recipe on one of the samples, Gaussian noise added to their weights, on average over samples"
STATEMENT = (
    "an expectation over samples and noise, its information estimated from a few samples; no probability is attached"
)


@bound(
    source="Xu and Raginsky 2017, Theorem 1; information of a private output derived here",
    certifies="networks trained with that privacy, on average over samples and the randomness of training",
    statement="an expectation over samples; no probability is attached",
    family="information",
    standing=Status.ESTIMATE,
)
def mutual_information(weight_privacy: float, errors: Tensor, *, log_delta: float) -> Bounded:
    r"""Training error plus what the information of the exact weights about the examples allows, finite by privacy alone.

    .. math:: E[R - \hat R] \le \sqrt{I(W; S) / (2n)}, \quad I(W; S) \le n \varepsilon \tanh(\varepsilon / 2)

    Without privacy there is no number: continuous weights that are a function of the examples have infinite information of them.

    Args:
        weight_privacy: Epsilon of the training.
        errors: On the training examples, ``[M, N]``.
        log_delta: Not used.

    Returns:
        The bounds and their account.

    Example:
        >>> import torch
        >>> print(f"{mutual_information(0.2, torch.zeros(1, 100), log_delta=-3.0).value[0]:.3f}")
        0.100
    """
    wrong = errors.double().cpu().numpy()
    seen, examples = wrong.mean(1), wrong.shape[1]
    information = np.full(len(seen), private_information(weight_privacy, examples))
    gap = xu_raginsky_gap(information, examples)
    data = {"assumption": f"training was {weight_privacy:g}-differentially private, as the user declares"}
    return Bounded(seen + gap, (), seen, examples, data=data, terms={"gap": gap, "information": information})


@bound(
    source="Xu and Raginsky 2017, Theorem 1, for weights with noise; their information derived here",
    certifies=NOISY,
    statement=STATEMENT,
    family="information",
    standing=Status.ESTIMATE,
)
def noisy_mutual_information(scattered: Scattered, *, log_delta: float) -> Bounded:
    r"""Error on the training sample plus what the information of noisy weights about the sample allows.

    .. math:: E[R - \hat R] \le \sqrt{I(W + \sigma\xi; S) / (2n)}, \quad
        I \le \sum_t \frac{P_t}{2} \ln\Big(1 + \frac{E|W_t - E W_t|^2}{P_t \sigma^2}\Big)

    The size of the noise is the one of a grid at which the sum is smallest, which makes the estimate a little too small. Initial
    weights and batches are fixed. The standard error is over samples, by the jackknife.

    Args:
        scattered: Squared distances of the weights.
        log_delta: Not used.

    Returns:
        Estimates and their account.

    Example:
        >>> apart = np.array([[[[0.0, 2.0], [2.0, 0.0]]]])  # a variance of 1
        >>> one = Scattered(("w",), np.ones(1), apart, np.zeros((1, 1, 2, 1)), np.ones((1, 1)), *[np.zeros((1, 1, 2))] * 2, 50)
        >>> print(f"{noisy_mutual_information(one, log_delta=-3.0).terms['information'][0]:.4f}")  # ln(2) / 2
        0.3466
    """

    def gaps(apart: Floats, moved: Floats) -> tuple[Floats, Floats]:
        information = noisy_information(_spread(apart)[:, None], scattered.sizes, scattered.noises)
        return xu_raginsky_gap(information, scattered.examples), information

    return _noisy(scattered, gaps)


@bound(
    source="Bu, Zou and Veeravalli 2020, Proposition 1, for weights with noise; their information as if Gaussian",
    certifies=NOISY,
    statement=STATEMENT,
    family="information",
    standing=Status.ESTIMATE,
)
def noisy_individual_information(scattered: Scattered, *, log_delta: float) -> Bounded:
    r"""Error on the training sample plus what the information of noisy weights about each single example allows.

    .. math:: E[R - \hat R] \le \frac1n \sum_i \sqrt{I(W + \sigma\xi; Z_i) / 2}, \quad
        I \approx \sum_t \frac{P_t}{2} \ln \frac{v_t + \sigma^2}{v_t - s_t + \sigma^2}

    v is the variance of a coordinate over samples and s half the mean squared change when one example is replaced, as if weights
    were Gaussian. The other examples hide a single one, so that without noise this stays finite where the information of the whole
    sample does not. Independent examples have on average at most an n-th of the whole sample's information, which is taken where
    it is smaller: half the squared change overstates what one example explains where examples interact.
    The rest is as in ``noisy-mutual-information``.

    Args:
        scattered: Squared distances of the weights.
        log_delta: Not used.

    Returns:
        Estimates and their account.

    Example:
        >>> apart, moved = np.array([[[[0.0, 2.0], [2.0, 0.0]]]]), np.full((1, 1, 2, 1), 1.0)  # half is explained
        >>> one = Scattered(("w",), np.ones(1), apart, moved, np.zeros((1, 1)), *[np.zeros((1, 1, 2))] * 2, 50)
        >>> print(f"{noisy_individual_information(one, log_delta=-3.0).terms['information'][0]:.4f}")  # ln(2) / 2
        0.3466
    """

    def gaps(apart: Floats, moved: Floats) -> tuple[Floats, Floats]:
        changes = moved.mean((-1, -2)) / 2
        whole = _spread(apart)[:, None]
        single = single_information(whole, changes[:, None], scattered.sizes, scattered.noises)
        shared = noisy_information(whole, scattered.sizes, scattered.noises) / scattered.examples
        information = np.minimum(single, shared)
        return np.sqrt(information / 2), information

    return _noisy(scattered, gaps)


@bound(
    source="Steinke and Zakynthinou 2020, Theorem 1.2 (conditional mutual information of the weights)",
    certifies="networks trained by the recipe on half of the supersample, on average over samples",
    statement="an expectation over samples and coins; no probability is attached",
    family="information",
    standing=Status.ESTIMATE,
)
def input_output_cmi(supersampled: Supersampled, *, log_delta: float) -> Bounded:
    r"""Training error plus what the information of the exact weights about the coins allows: it is the largest there is.

    .. math:: E[R - \hat R] \le \sqrt{2 I(W; U | \tilde Z) / n}, \quad I(W; U | \tilde Z) = n \ln 2

    Weights that differ for any two tosses tell all coins: the bound is the root of 2 ln 2 above the training error, and the fast
    form for networks right on what they saw is 1. It says nothing; the forms that look at answers or losses alone are the
    computable ones.

    Args:
        supersampled: Answers to pairs.
        log_delta: Not used.

    Returns:
        The bounds and their account.

    Example:
        >>> one = Supersampled(np.zeros((1, 2, 3, 2), int), np.zeros((1, 3, 2), int), np.array([[0, 0, 1], [1, 1, 0]]))
        >>> print(f"{input_output_cmi(one, log_delta=-3.0).value[0]:.3f}")
        1.177
    """
    seen, pairs = supersampled.seen.mean((1, 2)), supersampled.choices.shape[1]
    information = np.full(len(seen), pairs * math.log(2))
    gap = supersample_gap(information, pairs)
    terms = {"gap": gap, "information": information, "gap that was seen": supersampled.hidden.mean((1, 2)) - seen}
    if not supersampled.seen.any():
        terms["risk if interpolating"] = supersample_risk(information, pairs)
    return Bounded(seen + gap, (), seen, pairs, data=supersampled.data, terms=terms)


def _spread(apart: Floats) -> Floats:
    """Variances of blocks over samples, summed over coordinates, without bias, ``[M, T]``."""
    samples = apart.shape[-1]
    return np.asarray(apart.sum((-1, -2)) / (2 * samples * (samples - 1)))


def _noisy(scattered: Scattered, gaps: Callable[[Floats, Floats], tuple[Floats, Floats]]) -> Bounded:
    """The bound at the size of noise where it is smallest; ``gaps`` gives those of all sizes, and information, ``[M, G]``."""
    members = np.arange(len(scattered.noises))
    gap, information = gaps(scattered.apart, scattered.moved)
    seen = scattered.seen.mean(-1)
    best = (members, (seen + gap).argmin(1))
    samples = np.arange(scattered.apart.shape[-1])
    error = np.full(len(members), np.inf)
    if len(samples) > 2:
        without = []
        for sample in samples:
            rest = samples[samples != sample]
            own = gaps(scattered.apart[:, :, rest][:, :, :, rest], scattered.moved[:, :, rest])[0]
            without.append((scattered.seen[:, :, rest].mean(-1) + own)[best])
        error = np.sqrt((len(samples) - 1) * np.var(without, axis=0))
    return Bounded(
        value=(seen + gap)[best],
        steps=(),
        empirical_risk=seen[best],
        examples=scattered.examples,
        data=scattered.data,
        terms={
            "gap": gap[best],
            "information": information[best],
            "standard error": error,
            "noise": scattered.noises[best],
            "gap that was seen": (scattered.fresh.mean(-1) - seen)[best],
            "samples": np.full(len(members), float(len(samples))),
        },
    )
