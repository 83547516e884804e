"""Leave-one-out information: what losses on n + 1 examples say of the one that a network did not see."""

import math

import numpy as np

from heldout.catalog import bound
from heldout.engine.evidence.leaving_out import Counts, LeftOut
from heldout.engine.numerics.leave_one_out import exchangeable_information, gap_of, pattern_entropy
from heldout.records import Bounded, Status

CERTIFIES = "networks trained by the recipe on all but one of the supersample, on average over samples"
SHUFFLES = 100


@bound(
    source="Haghifam et al. 2022 (arXiv 2206.14800), the unconditional information; for losses that occur, derived here",
    certifies=CERTIFIES,
    statement="an expectation over samples and the example left out, its information estimated by pooling exchangeable examples; "
    "no probability",
    family="information",
    standing=Status.ESTIMATE,
)
def leave_one_out_mi(left_out: LeftOut, *, log_delta: float) -> Bounded:
    r"""Training error plus what the losses on n + 1 unknown examples tell about the one left out.

    .. math:: E[R - \hat R] \le \frac{n+1}{n} \sqrt{I(L; U) / 2}, \quad I(L; U) = E_T \, \mathrm{kl}(q_T \| T / (n+1))

    Where every seen example is right, :math:`I = R \ln(n+1)`: the term ``risk if interpolating`` is the leave-one-out error itself.
    The bias of the frequencies is subtracted; what shuffles of the examples left out give by chance stands beside it. The
    standard error is over examples left out, by the jackknife, for one supersample, and cannot see
    how the gap differs between samples.

    Args:
        left_out: Answers to all examples.
        log_delta: Not used.

    Returns:
        Estimates and their account.

    Example:
        Right on what is seen, wrong on what is not:

        >>> answers, labels = 1 - np.eye(4, dtype=np.int64)[None], np.ones((1, 4), dtype=np.int64)
        >>> said = leave_one_out_mi(LeftOut(answers, labels, np.arange(4)), log_delta=-3.0)
        >>> print(f"{said.terms['risk if interpolating'][0]:.2f}")
        1.00
    """
    hidden, totals = left_out.hidden, left_out.totals
    points, draws = left_out.labels.shape[1], len(left_out.out)
    both = np.stack([exchangeable_information(h, t, points) for h, t in zip(hidden, totals, strict=True)])
    gap = gap_of(both[:, 1], points - 1)
    chance = np.stack([_by_chance(own, left_out.out, left_out.seed) for own in left_out.errors])
    seen = _seen(left_out)
    terms = {
        "gap": gap,
        "standard error": _jackknife(hidden, totals, points),
        "gap without correction": gap_of(both[:, 0], points - 1),
        "gap by chance": chance.mean(1),
        "p-value": (1 + (chance >= gap[:, None]).sum(1)) / (SHUFFLES + 1),
        "gap that was seen": hidden.mean(1) - seen,
        "draws": np.full(len(gap), float(draws)),
    }
    if not seen.any():
        terms["risk if interpolating"] = both[:, 0] / math.log(points)
    return Bounded(seen + gap, (), seen, points - 1, data=left_out.data, terms=terms)


@bound(
    source="Haghifam et al. 2022 (arXiv 2206.14800) and Rammal et al. 2022 (arXiv 2207.00581), evaluated; constant derived here",
    certifies=CERTIFIES,
    statement="an expectation over samples and the example left out, its information computed on one supersample; no probability",
    family="information",
    standing=Status.ESTIMATE,
)
def leave_one_out_cmi(left_out: LeftOut, *, log_delta: float) -> Bounded:
    r"""The same with the n + 1 examples known: what the pattern of their losses tells about the one left out.

    .. math:: E[R - \hat R] \le \frac{n+1}{n} E \sqrt{I(L; U | \tilde Z) / 2}, \quad
        I(L; U | \tilde z) = H(L | \tilde z) \text{ as training is a function of } u

    Every example is left out once, so that the entropy of the patterns is exact for this supersample and seed: it has no bias,
    and shuffling the examples left out cannot change it. Where every seen example is right and r of the others wrong,
    :math:`H = r \ln(n+1) - (1-r) \ln(1-r) \ge r \ln(n+1)`, so that H / ln(n + 1) bounds the risk: the term ``risk if
    interpolating``. The ceiling ln(n + 1) does not fall with n: a network of which every retraining errs elsewhere is at
    :math:`\sqrt{\ln(n+1)/2}` whatever its gap. The information of the classes named, a term, is never smaller.

    Args:
        left_out: Answers to all examples.
        log_delta: Not used.

    Returns:
        Estimates and their account.

    Example:
        >>> nothing = LeftOut(np.zeros((1, 4, 4), int), np.zeros((1, 4), int), np.arange(4))
        >>> leave_one_out_cmi(nothing, log_delta=-3.0).value.tolist()
        [0.0]
    """
    points = left_out.labels.shape[1]
    information = np.array([pattern_entropy(own) for own in left_out.errors])
    seen, gap = _seen(left_out), gap_of(information, points - 1)
    whole = np.full(len(gap), math.log(points))
    terms = {
        "gap": gap,
        "information": information,
        "information of the answers": np.array([pattern_entropy(own) for own in left_out.answers]),
        "ceiling": whole,
        "gap that was seen": left_out.hidden.mean(1) - seen,
        "draws": np.full(len(gap), float(len(left_out.out))),
    }
    if not seen.any():
        terms["risk if interpolating"] = information / whole
    return Bounded(seen + gap, (), seen, points - 1, data=left_out.data, terms=terms)


def _seen(left_out: LeftOut) -> np.ndarray:
    others = left_out.labels.shape[1] - 1
    return np.asarray((left_out.totals - left_out.hidden).mean(1) / others, dtype=np.float64)


def _by_chance(errors: Counts, out: Counts, seed: int) -> np.ndarray:
    """The corrected gaps ``[SHUFFLES]`` of one member if another example had been left out."""
    generator, points = np.random.default_rng([seed, 8]), errors.shape[1]
    totals, rows = errors.sum(1), np.arange(len(out))
    found = []
    for _ in range(SHUFFLES):
        wrong = errors[rows, generator.permutation(out)]
        found.append(float(gap_of(exchangeable_information(wrong, totals, points)[1], points - 1)))
    return np.array(found)


def _jackknife(hidden: Counts, totals: Counts, points: int) -> np.ndarray:
    """Standard error ``[M]`` of the gap over the examples left out."""
    draws = hidden.shape[1]
    if draws < 2:
        return np.full(len(hidden), np.inf)
    errors = []
    for own, sums in zip(hidden, totals, strict=True):
        # equal draws give equal numbers: one for each kind suffices
        _, first, counts = np.unique(np.stack([own, sums]), axis=1, return_index=True, return_counts=True)
        gaps = np.array([
            float(gap_of(exchangeable_information(np.delete(own, i), np.delete(sums, i), points)[1], points - 1))
            for i in first
        ])
        mean = (counts * gaps).sum() / draws
        errors.append(math.sqrt((draws - 1) / draws * float((counts * (gaps - mean) ** 2).sum())))
    return np.array(errors)
