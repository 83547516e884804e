"""Stability: what replacing one training example does to the networks, and the expected gap that follows from it."""

import numpy as np

from heldout.catalog import bound
from heldout.engine.evidence.replacing import Replaced
from heldout.records import Bounded, Status


@bound(
    source="Bousquet and Elisseeff 2002, Lemma 7; Shalev-Shwartz et al. 2010, section 4 (on-average stability)",
    certifies="networks trained by the recipe on so many examples, on average over samples",
    statement="an expectation over samples, estimated from one; no probability is attached",
    family="stability",
    standing=Status.ESTIMATE,
)
def replace_one(replaced: Replaced, *, log_delta: float) -> Bounded:
    r"""Training error plus the expected gap, estimated without bias from networks trained again with one example replaced.

    .. math:: E[R(A(S)) - \hat R(A(S))] = E[\ell(A(S^{(i)}), z_i) - \ell(A(S), z_i)]

    All trainings share initial weights, batches and random numbers. The standard error is over the draws of the replaced
    examples, with one sample S: it cannot see how the gap differs between samples. The mean change of a fresh example's loss is
    the stability of this sample; uniform stability is a supremum over all samples and examples, which no number of trainings can
    show. No delta is spent.

    Args:
        replaced: Differences of losses.
        log_delta: Not used.

    Returns:
        Estimates and their account.

    Example:
        >>> known = Replaced(np.array([[0.0, 0.5, 0.0, 0.5]]), np.zeros((1, 4)), np.array([0.1]), 50)
        >>> said = replace_one(known, log_delta=-3.0)
        >>> print(f"{said.value[0]:.2f}, gap {said.terms['gap'][0]:.2f} +- {said.terms['standard error'][0]:.2f}")
        0.35, gap 0.25 +- 0.14
    """
    draws = replaced.gaps.shape[1]
    gap = replaced.gaps.mean(1)
    spread = replaced.gaps.std(1, ddof=1) if draws > 1 else np.full(len(gap), np.inf)
    return Bounded(
        value=replaced.train_error + gap,
        steps=(),
        empirical_risk=replaced.train_error,
        examples=replaced.examples,
        data=replaced.data,
        terms={
            "gap": gap,
            "standard error": spread / np.sqrt(draws),
            "change of a fresh loss": replaced.changes.mean(1),
            "draws": np.full(len(gap), float(draws)),
        },
    )
