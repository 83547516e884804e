"""Stability of stochastic gradient descent by its theorem for convex losses, with a Lipschitz constant read off the examples."""

import numpy as np
from torch import Tensor

from heldout.catalog import bound
from heldout.engine.numerics.stability import convex_stability
from heldout.records import Bounded, Status


@bound(
    source="Hardt, Recht and Singer 2016, Theorem 3.8 (convex losses)",
    certifies="networks trained by the recipe, if their loss were convex and its gradients never larger",
    statement="an expectation under assumptions that networks break: convexity, and a Lipschitz constant over all weights and inputs",
    family="stability",
    standing=Status.CORRELATE,
)
def sgd_stability(gradient_norms: Tensor, errors: Tensor, step_sizes: np.ndarray, *, log_delta: float) -> Bounded:
    r"""Training error plus the stability of so many steps of this size.

    .. math:: \hat R + \frac{2 L^2}{n} \sum_t \alpha_t

    L is the largest gradient of a training example at the trained weights; along the way there were larger ones, and unseen inputs
    may have others. The loss is cross-entropy or what was trained; the error stands for its value. It grows with the length of the
    training, which early stopping rests on.

    Args:
        gradient_norms: Of the training examples, ``[M, N]``.
        errors: 0-1 errors on them, ``[M, N]``.
        step_sizes: Their sum, ``[M]``.
        log_delta: Not used.

    Returns:
        Numbers and their account.

    Example:
        >>> import torch
        >>> said = sgd_stability(torch.full((1, 100), 0.5), torch.zeros(1, 100), np.array([5.0]), log_delta=-3.0)
        >>> round(float(said.value[0]), 4)
        0.025
    """
    n = gradient_norms.shape[-1]
    largest = gradient_norms.double().amax(-1).cpu().numpy()
    risk = errors.double().mean(-1).cpu().numpy()
    stability = np.array([convex_stability(one, [total], n) for one, total in zip(largest, step_sizes, strict=True)])
    return Bounded(
        value=risk + stability,
        steps=(),
        empirical_risk=risk,
        examples=n,
        data={"bound": f"all {n} training examples"},
        terms={"stability": stability, "largest gradient": largest, "sum of step sizes": step_sizes},
    )
