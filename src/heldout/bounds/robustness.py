"""Robustness by partitions: how much the loss varies within cells that were drawn before the data."""

import math

import numpy as np

from heldout.catalog import bound
from heldout.engine.evidence.partitions import Partitioned
from heldout.records import Bounded, Status


@bound(
    source="Xu and Mannor 2012, Theorem 3",
    certifies="this network, if no cell holds a larger difference than was seen",
    statement="no probability: the largest difference within a cell is a supremum over inputs nobody has seen",
    family="robustness",
    standing=Status.ESTIMATE,
)
def robustness_partition(partitioned: Partitioned, *, log_delta: float) -> Bounded:
    r"""Training error plus the variation of the loss within cells, plus the price of the cells.

    .. math:: \hat R + \epsilon(S) + \sqrt{\frac{2 K \ln 2 + 2 \ln(1/\delta)}{n}}

    Cells are sides of hyperplanes through the origin in random directions, times the class; their number K is set by n alone. With
    epsilon the supremum over a cell this would be a bound with probability 1 - delta; what is seen on training and held-out examples
    is a lower value. A network that errs on a single example of a cell has epsilon 1: in many dimensions that is nearly every cell.

    Args:
        partitioned: Cells of the examples with the losses in them.
        log_delta: Natural logarithm of the failure probability that it would spend.

    Returns:
        Estimates and their account.

    Example:
        >>> said = robustness_partition(Partitioned(np.zeros(1), np.zeros(1), np.zeros(1), 8, 10000), log_delta=np.log(0.05))
        >>> round(float(said.value[0]), 4)
        0.0413
    """
    cells, n = partitioned.cells, partitioned.examples
    price = math.sqrt((2 * cells * math.log(2) - 2 * log_delta) / n)
    return Bounded(
        value=partitioned.train_error + partitioned.largest + price,
        steps=(),
        empirical_risk=partitioned.train_error,
        examples=n,
        data={"cells": f"{cells} cells by random hyperplanes and classes, drawn before the data"},
        terms={
            "largest difference seen in a cell": partitioned.largest,
            "mean difference over cells": partitioned.mean,
            "price of the cells": np.full(len(partitioned.train_error), price),
        },
    )
