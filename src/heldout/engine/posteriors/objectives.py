"""What a posterior is trained for: relaxations of the kl bound that have gradients. None of them is ever reported."""

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from heldout.records import Refusal


class Terms(NamedTuple):
    """What an objective is made from, of every member.

    Attributes:
        risk: Surrogate risk of the Gibbs predictor, ``[M]``.
        divergence: KL with the price of the prior's variance, ``[M]``.
        examples: n, of the bound.
        log_delta: Natural logarithm of the failure probability.
        trade: The trade-off lambda in (0, 2), ``[M]``; only the objective of that name reads it.
    """

    risk: Tensor
    divergence: Tensor
    examples: int
    log_delta: float
    trade: Tensor


Objective = Callable[[Terms], Tensor]


def complexity(terms: Terms) -> Tensor:
    r"""Maurer's numerator over n.

    Args:
        terms: Of the objective.

    Returns:
        :math:`(KL + \ln(2 \sqrt n / \delta)) / n`.
    """
    return (terms.divergence + math.log(2 * math.sqrt(terms.examples)) - terms.log_delta) / terms.examples


def classic(terms: Terms) -> Tensor:
    r"""McAllester's bound in Maurer's form, Perez-Ortiz et al. 2021, eq. (11).

    Args:
        terms: Of the objective.

    Returns:
        :math:`\hat R + \sqrt{B / (2 n)}`.
    """
    return terms.risk + (complexity(terms) / 2).sqrt()


def quadratic(terms: Terms) -> Tensor:
    r"""The quadratic form, Rivasplata et al. 2019; Perez-Ortiz et al. 2021, eq. (12).

    Args:
        terms: Of the objective.

    Returns:
        :math:`(\sqrt{\hat R + B / (2 n)} + \sqrt{B / (2 n)})^2`.
    """
    half = complexity(terms) / 2
    return ((terms.risk + half).sqrt() + half.sqrt()).square()


def trade_off(terms: Terms) -> Tensor:
    r"""The lambda bound, Thiemann et al. 2017, Theorem 3, with the trade-off trained along.

    Args:
        terms: Of the objective.

    Returns:
        :math:`\hat R / (1 - \lambda/2) + B / (n \lambda (1 - \lambda/2))`.
    """
    rest = 1 - terms.trade / 2
    return terms.risk / rest + complexity(terms) / (terms.trade * rest)


def dziugaite_roy(terms: Terms) -> Tensor:
    r"""Dziugaite and Roy 2017, eq. (5): Langford and Seeger's bound through Pinsker's inequality.

    Args:
        terms: Of the objective; the divergence holds the price of the grid, so that the numerator is theirs.

    Returns:
        :math:`\hat R + \sqrt{(KL + \ln(n/\delta)) / (2 (n - 1))}`.
    """
    numerator = terms.divergence + math.log(terms.examples) - terms.log_delta
    return terms.risk + (numerator / (2 * (terms.examples - 1))).sqrt()


OBJECTIVES: dict[str, Objective] = {
    "quadratic": quadratic,
    "lambda": trade_off,
    "classic": classic,
    "dziugaite-roy": dziugaite_roy,
}


def objective_named(name: str) -> Objective:
    """An objective by its name.

    Args:
        name: One of :data:`OBJECTIVES`.

    Returns:
        The function.

    Raises:
        Refusal: If there is none.
    """
    if name not in OBJECTIVES:
        raise Refusal(
            given=f"objective was '{name}'", expected=f"one of {', '.join(OBJECTIVES)}", do="choose one of these"
        )
    return OBJECTIVES[name]


def surrogate(outputs: Tensor, labels: Tensor, *, binary: bool, floor: float, unit: float) -> Tensor:
    r"""Cross-entropy with probabilities clamped from below, in units of an error.

    Args:
        outputs: ``[N, C]``; one logit an example where binary.
        labels: ``[N]``.
        binary: Whether the outputs are logits of class 1.
        floor: The smallest probability p: beyond it an example is given up.
        unit: How many nats count as one error. With :math:`\ln(1/p)` the loss stays in [0, 1] (Perez-Ortiz et al. 2021); with
            :math:`\ln 2` it lies above the 0-1 error (Dziugaite and Roy 2017).

    Returns:
        :math:`\min(-\ln p_y, \ln(1/p)) / u`, ``[N]``.
    """
    if binary:
        signed = outputs.reshape(labels.shape) * (1 - 2 * labels.to(outputs.dtype))
        loss = torch.nn.functional.softplus(signed)
    else:
        loss = torch.nn.functional.cross_entropy(outputs, labels, reduction="none")
    return loss.clamp(max=math.log(1 / floor)) / unit


def zero_one(outputs: Tensor, labels: Tensor, *, binary: bool) -> Tensor:
    """The 0-1 error; outputs that are not finite are errors, and a tie goes to the first class.

    Args:
        outputs: ``[..., N, C]``; one logit an example where binary.
        labels: ``[..., N]``.
        binary: Whether the outputs are logits of class 1.

    Returns:
        Whether each answer is wrong, ``[..., N]``.
    """
    if binary:
        score = outputs.reshape(labels.shape)
        return ~score.isfinite() | ((score > 0) != labels.bool())
    return ~outputs.isfinite().all(-1) | (outputs.argmax(-1) != labels)
