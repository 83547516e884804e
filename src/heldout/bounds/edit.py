"""An edit of the deployed network, such as rounded weights: how much its risk can rise, without labels."""

from typing import Any

import numpy as np

from heldout.catalog import bound
from heldout.engine.evidence.surrogates import BITS, Edited, Transferred
from heldout.engine.evidence.transfer_problems import transfers
from heldout.engine.numerics import binomial_inverse_upper
from heldout.records import Bounded

THIRD = float(-np.log(3.0))


def _problem(generator: np.random.Generator, problems: int) -> tuple[dict[str, Any], np.ndarray]:
    known = transfers(generator, problems)
    return {"transferred": known.transferred, "edited": known.edited}, known.edited_risks


@bound(
    source="Langford 2005, Theorem 3.3, three times; the triangle inequality of 0-1 errors",
    certifies=f"this network with its weights rounded to {BITS} bits",
    statement="probability over the draw of the examples set aside and of the inputs without labels",
    family="transfer",
    problem=_problem,
)
def rounded_weights(transferred: Transferred, edited: Edited, *, log_delta: float) -> Bounded:
    r"""Risk of the network after its weights were rounded: that of the network before, and how often the two disagree.

    .. math:: R(f') \le R(f) + P[f' \ne f] \le R(h) + P[f \ne h] + P[f' \ne f]

    Every term is a binomial tail inversion at a third of delta; the last, given as the term ``rise``, bounds what the edit can cost.
    The edit is a function of the weights alone. One that was tuned on the inputs would not be covered.

    Args:
        transferred: Errors of the surrogate, its disagreements with the network, and their numbers of trials.
        edited: Inputs on which the network and its rounded form disagree, and the errors of the baseline.
        log_delta: Natural logarithm of the failure probability.

    Returns:
        Upper bounds and their account.

    Example:
        >>> known = Transferred(np.array([0]), 600, np.array([0]), 600)
        >>> said = rounded_weights(known, Edited(np.array([0])), log_delta=np.log(0.15))
        >>> print(f"{said.value[0]:.4f}, of which {said.terms['rise'][0]:.4f}")  # thrice 1 - 0.05^(1/600)
        0.0149, of which 0.0050
    """
    share, inputs, reference = log_delta + THIRD, transferred.unlabelled, edited.test_errors
    counts = (transferred.errors, transferred.disagreements, edited.disagreements)
    own, apart, rise = (
        np.atleast_1d(np.asarray(binomial_inverse_upper(count, trials, share)))
        for count, trials in zip(counts, (transferred.examples, inputs, inputs), strict=True)
    )
    return Bounded(
        value=np.minimum(np.nextafter(np.nextafter(own + apart, 3.0) + rise, 3.0), 1.0),
        steps=(
            ("the surrogate's risk is this small, on examples it has not seen", 1 / 3),
            ("network and surrogate disagree this rarely on new inputs", 1 / 3),
            ("the network and its rounded form disagree this rarely on new inputs", 1 / 3),
        ),
        empirical_risk=counts[0] / transferred.examples + (counts[1] + counts[2]) / inputs,
        examples=inputs,
        data={**transferred.data, "edit": f"every tensor rounded to {BITS} bits: a function of its weights alone"},
        baseline=None if reference is None else np.asarray(binomial_inverse_upper(reference, inputs, log_delta)),
        terms={"surrogate's risk": own, "disagreement": apart, "rise": rise},
    )
