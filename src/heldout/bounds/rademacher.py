"""Rademacher complexity by fitting signs: what a class can be trained to follow."""

import numpy as np

from heldout.catalog import bound
from heldout.engine.evidence.sign_fitting import FittedSigns
from heldout.records import Bounded, Status


@bound(
    source="Bartlett and Mendelson 2002, Theorem 8; Zhang et al. 2017 (random labels); signs fitted by training",
    certifies="this network, if training had found the supremum",
    statement="no probability: training finds less than the supremum, and the number is below the bound that it stands for",
    family="rademacher",
    standing=Status.ESTIMATE,
)
def fitted_rademacher(fitted_signs: FittedSigns, *, log_delta: float) -> Bounded:
    r"""Training error plus twice the Rademacher complexity of the 0-1 loss, as far as training reached it.

    .. math:: \hat R + 2 \hat{\mathrm{Rad}}, \quad \hat{\mathrm{Rad}} = E_\sigma \max_h \frac1n \sum_i \sigma_i 1[h(x_i) \ne y_i]

    For each draw of signs a network is trained to err on the examples with +1, where its labels are exchanged, and to be right on the
    others. One that follows any signs reaches 1/2, and the number is at least 1: uniform convergence says nothing of such a class,
    which is the use of this diagnostic. A supremum is only ever found from below, so that it is no bound however large it is.

    Args:
        fitted_signs: What was reached.
        log_delta: Not used.

    Returns:
        Estimates and their account.

    Example:
        >>> said = fitted_rademacher(FittedSigns(np.array([[0.5, 0.5]]), np.zeros(1), 100), log_delta=-3.0)
        >>> float(said.value[0])
        1.0
    """
    draws = fitted_signs.reached.shape[1]
    mean = fitted_signs.reached.mean(1)
    spread = fitted_signs.reached.std(1, ddof=1) if draws > 1 else np.full(len(mean), np.inf)
    return Bounded(
        value=fitted_signs.train_error + 2 * mean,
        steps=(),
        empirical_risk=fitted_signs.train_error,
        examples=fitted_signs.examples,
        data={"signs": f"{draws} draws of a sign for each of {fitted_signs.examples} training examples"},
        terms={
            "Rademacher complexity, at least": mean,
            "standard error": spread / np.sqrt(draws),
            "share of what signs allow": 2 * mean,
        },
    )
