"""The deployed network as it is, through a surrogate of known risk and inputs without labels."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from heldout.catalog import bound
from heldout.engine.evidence.picking import Picked
from heldout.engine.evidence.picking_problems import boxes
from heldout.engine.evidence.surrogates import Transferred
from heldout.engine.evidence.transfer_problems import transfers
from heldout.engine.numerics import binomial_inverse_upper
from heldout.engine.numerics.pick_to_learn import pick_to_learn_upper
from heldout.records import Bounded

HALF = float(np.log(0.5))
DISAGREEMENT = ("network and surrogate disagree this rarely on new inputs", 0.5)


def _problem(generator: np.random.Generator, problems: int) -> tuple[dict[str, Any], np.ndarray]:
    known = transfers(generator, problems)
    return {"transferred": known.transferred}, known.risks


def _picked_problem(generator: np.random.Generator, problems: int) -> tuple[dict[str, Any], np.ndarray]:
    known, (picked, risks) = transfers(generator, problems).transferred, boxes(generator, problems)
    extra = np.minimum(generator.choice([0.02, 0.1, 0.3], size=problems), 1 - risks)  # where the surrogate is right
    return {
        "picked": picked,
        "picked_disagreements": generator.binomial(known.unlabelled, extra),
        "transferred": known,
    }, risks + extra


@bound(
    source="Langford 2005, Theorem 3.3, twice; the triangle inequality of 0-1 errors",
    certifies="this network",
    statement="probability over the draw of the examples set aside and of the inputs without labels",
    family="transfer",
    problem=_problem,
)
def disagreement(transferred: Transferred, *, log_delta: float) -> Bounded:
    r"""Risk of the network as it is: that of a surrogate trained on a part of the data, and how often the two disagree.

    .. math:: R(f) \le R(h) + P[f \ne h] \le \mathrm{Bin}^{-1}(e_h, n', \delta/2) + \mathrm{Bin}^{-1}(d, m, \delta/2)

    A network errs only where the surrogate errs or where they disagree. Which examples has each seen? The surrogate h has seen the
    first part of a seeded split of the training data: the n' examples set aside are fresh to h, and the first term is a held-out
    bound for h. The network f has seen both parts, and may have been chosen by anything else: the first term does not speak of f. The
    m inputs are fresh to f and h alike: given both, their disagreements are independent coins, and the second term is exact. Two
    statements, half of delta each. It fails if f, or h, was chosen by looking at the m inputs, even without labels. It cannot be
    below a held-out bound of f on the same inputs, where their labels are known: that is the baseline, and it alone uses labels.

    Args:
        transferred: Errors of the surrogate, disagreements and their numbers of trials.
        log_delta: Natural logarithm of the failure probability.

    Returns:
        Upper bounds and their account.

    Example:
        >>> known = Transferred(np.array([0]), 600, np.array([0]), 600)
        >>> print(f"{disagreement(known, log_delta=np.log(0.05)).value[0]:.4f}")  # 2 (1 - 0.025^(1/600))
        0.0123
    """
    own = binomial_inverse_upper(transferred.errors, transferred.examples, log_delta + HALF)
    return _bounded(
        own,
        transferred.errors / transferred.examples,
        transferred.disagreements,
        transferred,
        log_delta,
        "the surrogate's risk is this small, on examples it has not seen",
    )


@bound(
    source="Paccagnan, Campi and Garatti 2023, Theorem 4.2; Langford 2005, Theorem 3.3; the triangle inequality of 0-1 errors",
    certifies="this network",
    statement="probability over the draw of the training examples, of their marks, and of the inputs without labels",
    family="transfer",
    problem=_picked_problem,
)
def disagreement_picked(
    picked: Picked, picked_disagreements: NDArray[np.int64], transferred: Transferred, *, log_delta: float
) -> Bounded:
    """The same through the network of Pick-to-Learn, for which no example need be set aside.

    Args:
        picked: How many examples were kept, and how many of the others are wrong.
        picked_disagreements: Inputs on which the network and that one disagree.
        transferred: The number of inputs, and the errors of the baseline.
        log_delta: Natural logarithm of the failure probability.

    Returns:
        Upper bounds and their account.

    Example:
        >>> known, inputs = Picked(np.array([20]), np.array([0]), 1000), Transferred(np.zeros(1), 1, np.zeros(1), 600)
        >>> print(f"{disagreement_picked(known, np.array([0]), inputs, log_delta=np.log(0.1)).value[0]:.4f}")  # 0.0355 + 0.0050
        0.0405
    """
    own = pick_to_learn_upper(picked.kept + picked.errors, picked.examples, log_delta + HALF)
    said = _bounded(
        own,
        picked.errors / picked.examples,
        picked_disagreements,
        transferred,
        log_delta,
        "the surrogate's risk is this small",
    )
    data = {
        "network": f"all {picked.examples} training examples, and anything but the inputs below",
        **{role: words for role, words in picked.data.items() if role != "network"},
        **{role: words for role, words in transferred.data.items() if role in ("disagreement", "baseline")},
    }
    return Bounded(
        said.value, said.steps, said.empirical_risk, said.examples, data=data, baseline=said.baseline, terms=said.terms
    )


def _bounded(
    own: Any, seen: Any, apart: NDArray[np.int64], inputs: Transferred, log_delta: float, words: str
) -> Bounded:
    own = np.atleast_1d(np.asarray(own, dtype=np.float64))
    rise = np.atleast_1d(np.asarray(binomial_inverse_upper(apart, inputs.unlabelled, log_delta + HALF)))
    reference = inputs.test_errors
    return Bounded(
        value=np.minimum(np.nextafter(own + rise, 2.0), 1.0),
        steps=((words, 0.5), DISAGREEMENT),
        empirical_risk=seen + apart / inputs.unlabelled,
        examples=inputs.unlabelled,
        data=inputs.data,
        baseline=None
        if reference is None
        else np.asarray(binomial_inverse_upper(reference, inputs.unlabelled, log_delta)),
        terms={"surrogate's risk": own, "disagreement": rise},
    )
