"""Rise of the loss near the network on batches of m = 128 examples: on average over noise, and in the worst case in a ball."""

from typing import NamedTuple

import torch
from torch import Tensor

from heldout.catalog import evidence
from heldout.engine.evidence.nearby_losses import batches_of, direction, losses_near, rows_of
from heldout.engine.evidence.outputs import is_classification
from heldout.engine.evidence.projected_ascent import ascend
from heldout.engine.subject import Subject
from heldout.records import Estimate, NotApplicable, estimate

STEPS, PAIRS = 20, 10  # of the ascent; of opposite draws, which are twenty
LATE = 0.1  # share of the rise that the last tenth of the steps may have found
NEAR = 1e-3  # of the radius: how far from the centre the ascent starts
SWEEPS = STEPS + 2


class BatchRises(NamedTuple):
    """What perturbed weights do to the loss of some batches.

    Attributes:
        rises: Mean loss of a batch at the perturbed weights minus that at the weights, ``[M, S]``, float64.
        late: The part of it that the last tenth of an ascent's steps found; 0 where there is no ascent.
        spread: Standard error of each over draws of the noise, 0 where there are none.
        whole: Whether the batches are the whole training set, so that no choice of them is left to chance.
    """

    rises: Tensor
    late: Tensor
    spread: Tensor
    whole: bool


def has_several_logits(subject: Subject) -> None:
    """Demand a classification with one logit a class.

    Args:
        subject: What is under study.

    Raises:
        NotApplicable: If it is a regression, or has one logit an example.
    """
    is_classification(subject)
    if subject.loss.name == "binary-cross-entropy":
        raise NotApplicable(
            "one logit an example has no direction to normalise", do="use the sharpness without normalised logits"
        )


@evidence(forward=SWEEPS, backward=SWEEPS, thorough=True)
def worst_rises_l2(subject: Subject, seed: int) -> BatchRises:
    """Largest rise in a Euclidean ball of radius 0.05 around the weights."""
    return worst(subject, seed, norm="l2", radius=0.05)


@evidence(forward=SWEEPS, backward=SWEEPS, thorough=True)
def worst_rises_linf(subject: Subject, seed: int) -> BatchRises:
    """Largest rise when every weight moves by at most 0.002."""
    return worst(subject, seed, norm="linf", radius=0.002)


@evidence(forward=SWEEPS, backward=SWEEPS, thorough=True)
def adaptive_worst_rises_l2(subject: Subject, seed: int) -> BatchRises:
    """Largest rise in an ellipsoid with half-axes 0.5 |w|."""
    return worst(subject, seed, norm="l2", radius=0.5, adaptive=True)


@evidence(forward=SWEEPS, backward=SWEEPS, thorough=True)
def adaptive_worst_rises_linf(subject: Subject, seed: int) -> BatchRises:
    """Largest rise when every weight moves by at most a hundredth of itself."""
    return worst(subject, seed, norm="linf", radius=0.01, adaptive=True)


@evidence(forward=SWEEPS, backward=SWEEPS, thorough=True, requires=has_several_logits)
def normalised_worst_rises_linf(subject: Subject, seed: int) -> BatchRises:
    """The same for logits that are centred and divided by their norm."""
    return worst(subject, seed, norm="linf", radius=0.01, adaptive=True, normalised=True)


@evidence(forward=2 * PAIRS + 1, thorough=True)
def average_rises(subject: Subject, seed: int) -> BatchRises:
    """Mean rise under Gaussian noise of standard deviation 0.01 on every weight."""
    return average(subject, seed, norm="l2", radius=0.01)


@evidence(forward=2 * PAIRS + 1, thorough=True, requires=has_several_logits)
def normalised_average_rises_linf(subject: Subject, seed: int) -> BatchRises:
    """Mean rise, for normalised logits, when every weight moves by up to a tenth of itself, uniformly."""
    return average(subject, seed, norm="linf", radius=0.1, adaptive=True, normalised=True)


def worst(
    subject: Subject,
    seed: int,
    *,
    norm: str,
    radius: float,
    adaptive: bool = False,
    normalised: bool = False,
    steps: int = STEPS,
) -> BatchRises:
    r"""Worst-case m-sharpness: ``max L_S(w + d) - L_S(w)`` over ``|d / c|_p <= rho``, for every batch S.

    All members and all batches climb at once; each keeps its own step size.

    Args:
        subject: What is under study; networks in evaluation mode, all parameters as trained.
        seed: Of batches, and of the small step that leaves the centre.
        norm: ``"l2"`` or ``"linf"``.
        radius: rho.
        adaptive: c is the weight's absolute value, or else 1.
        normalised: Whether logits are centred and divided by their norm before the loss.
        steps: Of the ascent.

    Returns:
        The rises.
    """
    population = subject.population
    batches = batches_of(len(subject.train), seed)
    rises, late = torch.zeros(2, len(population), len(batches), dtype=torch.float64, device=population.device)
    away = direction(population, seed, "sharpness start", uniform=False)
    away = NEAR * radius * away / (away.norm() if norm == "l2" else away.abs().max())
    for row in rows_of(subject, batches, draws=1):
        losses = losses_near(subject, row, batches, adaptive=adaptive, normalised=normalised)
        found = ascend(losses, away.expand(len(row.member), -1), radius, norm, steps=steps)
        rises[row.member, row.batch], late[row.member, row.batch] = found.rise, found.late
    return BatchRises(rises, late, torch.zeros_like(rises), batches.numel() == len(subject.train))


def average(
    subject: Subject,
    seed: int,
    *,
    norm: str,
    radius: float,
    adaptive: bool = False,
    normalised: bool = False,
    pairs: int = PAIRS,
) -> BatchRises:
    r"""Average-case sharpness on batches: ``E L_S(w + d) - L_S(w)`` with d Gaussian (l2) or uniform (linf), times c.

    Draws come in opposite pairs, in which the first-order term cancels; every batch has its own, all members share them.

    Args:
        subject: What is under study.
        seed: Of batches and noise.
        norm: ``"l2"``: standard deviation rho c; ``"linf"``: uniform within rho c.
        radius: rho.
        adaptive: c is the weight's absolute value, or else 1.
        normalised: Whether logits are centred and divided by their norm before the loss.
        pairs: D, of draws.

    Returns:
        The rises, with their standard errors over the pairs.
    """
    population = subject.population
    batches = batches_of(len(subject.train), seed)
    before = torch.zeros(len(population), len(batches), dtype=torch.float64, device=population.device)
    after = before.unsqueeze(2).repeat(1, 1, pairs)
    settings = {"adaptive": adaptive, "normalised": normalised}
    for row in rows_of(subject, batches, draws=1):
        nowhere = before.new_zeros(len(row.member), population.size)
        before[row.member, row.batch] = losses_near(subject, row, batches, **settings)(nowhere, False)[0]
    for row in rows_of(subject, batches, draws=pairs):
        losses = losses_near(subject, row, batches, **settings)
        keys, place = torch.unique(torch.stack([row.batch, row.draw]), dim=1, return_inverse=True)
        noise = torch.stack([
            direction(population, seed, f"sharpness noise {batch} {draw}", uniform=norm == "linf")
            for batch, draw in keys.T.tolist()
        ])
        there = radius * noise[place]
        after[row.member, row.batch, row.draw] = (losses(there, False)[0] + losses(-there, False)[0]) / 2
    rises = after - before.unsqueeze(2)
    spread = rises.std(2) / pairs**0.5
    return BatchRises(rises.mean(2), torch.zeros_like(before), spread, batches.numel() == len(subject.train))


def mean_rise(found: BatchRises) -> Estimate:
    """Mean over the batches.

    Args:
        found: Of one network, ``[S]``.

    Returns:
        The mean, with its standard error over the batches, or over draws where one batch is all there is; withdrawn where the
        last tenth of an ascent's steps still found more than a tenth of it.
    """
    batches, value = found.rises.shape[0], found.rises.mean()
    spread = (found.rises - value).square().sum() / max(batches - 1, 1) / batches
    if batches == 1:
        spread = found.spread.sum().square() if found.whole else torch.full_like(value, float("nan"))
    return estimate(value, standard_error=spread.sqrt(), converged=found.late.mean() <= LATE * value.abs())
