"""Sample compression: the bound for a predictor rebuilt from any few of the examples."""

from typing import Any

import numpy as np

from heldout.catalog import bound
from heldout.engine.evidence.picking import Picked
from heldout.engine.evidence.picking_problems import boxes
from heldout.engine.numerics.pick_to_learn import sample_compression_upper
from heldout.records import Bounded


def _problem(generator: np.random.Generator, problems: int) -> tuple[dict[str, Any], np.ndarray]:
    picked, risks = boxes(generator, problems)
    return {"picked": picked}, risks


@bound(
    source="Laviolette, Marchand and Shah 2005, Theorem 1; Bazinet et al. 2025",
    certifies="a network rebuilt by the recipe from the training examples it errs on worst",
    statement="probability over the draw of the training examples and of their marks",
    family="sample-compression",
    problem=_problem,
)
def sample_compression(picked: Picked, *, log_delta: float) -> Bounded:
    r"""Risk of the same network by the bound that any choice of examples allows.

    .. math:: \mathrm{Bin}^{-1}\Big(e, n - k, \delta \frac{6}{\pi^2 (k + 1)^2} \binom{n}{k}^{-1}\Big)

    It holds for all sets of examples at once, however they were chosen, and pays for every one of them; Pick-to-Learn pays for its
    own way of choosing only. It says nothing of the network under study.

    Args:
        picked: How many examples were kept, and how many of the others are wrong.
        log_delta: Natural logarithm of the failure probability.

    Returns:
        Upper bounds and their account.

    Example:
        >>> known = Picked(np.array([300]), np.array([0]), 60000)
        >>> print(f"{sample_compression(known, log_delta=np.log(0.05)).value[0]:.4f}")
        0.0313
    """
    others = picked.examples - picked.kept
    return Bounded(
        value=np.atleast_1d(sample_compression_upper(picked.kept, picked.errors, picked.examples, log_delta)),
        steps=(("the errors on the others are this few, for every set of examples at once", 1.0),),
        empirical_risk=picked.errors / np.maximum(others, 1),
        examples=int(others.min()),
        data={**picked.data, "bound": "the training examples that were not kept, assumed to be independent draws"},
        terms={"kept examples": picked.kept.astype(np.float64), "errors left": picked.errors.astype(np.float64)},
    )
