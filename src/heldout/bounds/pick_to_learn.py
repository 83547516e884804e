"""Pick-to-Learn: the bound for a preferent compression."""

from typing import Any

import numpy as np

from heldout.catalog import bound
from heldout.engine.evidence.picking import Picked
from heldout.engine.evidence.picking_problems import boxes
from heldout.engine.numerics.pick_to_learn import pick_to_learn_upper
from heldout.records import Bounded


def _problem(generator: np.random.Generator, problems: int) -> tuple[dict[str, Any], np.ndarray]:
    picked, risks = boxes(generator, problems)
    return {"picked": picked}, risks


@bound(
    source="Paccagnan, Campi and Garatti 2023, Theorem 4.2; Campi and Garatti 2023, Theorem 7",
    certifies="a network rebuilt by the recipe from the training examples it errs on worst",
    statement="probability over the draw of the training examples and of their marks",
    family="sample-compression",
    problem=_problem,
)
def pick_to_learn(picked: Picked, *, log_delta: float) -> Bounded:
    r"""Risk of a network that was trained on few examples, picked one after another until all the others were handled.

    .. math:: \frac{\delta}{n} \sum_{m=k}^{n-1} \binom{m}{k} \binom{n}{k}^{-1} (1 - \varepsilon)^{-(n-m)} = 1

    The k examples are those that were picked and, where picking stopped at the size fixed beforehand, those still wrong: every set
    between these and all examples leads to the same network, so that a new example on which it errs would have changed the k.
    No held-out example is used. It says nothing of the network under study.

    Args:
        picked: How many examples were kept, and how many of the others are wrong.
        log_delta: Natural logarithm of the failure probability.

    Returns:
        Upper bounds and their account.

    Example:
        >>> known = Picked(np.array([20]), np.array([0]), 1000)
        >>> print(f"{pick_to_learn(known, log_delta=np.log(0.05)).value[0]:.4f}")
        0.0355
    """
    count = picked.kept + picked.errors
    return Bounded(
        value=np.atleast_1d(pick_to_learn_upper(count, picked.examples, log_delta)),
        steps=(("a new example would change the kept ones this rarely", 1.0),),
        empirical_risk=picked.errors / picked.examples,
        examples=picked.examples,
        data=picked.data,
        terms={"kept examples": picked.kept.astype(np.float64), "errors left": picked.errors.astype(np.float64)},
    )
