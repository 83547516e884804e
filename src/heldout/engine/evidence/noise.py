"""What Gaussian noise in the weights does to the training error and to the training loss."""

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from heldout.catalog import evidence
from heldout.engine.evidence.crossing import walk
from heldout.engine.evidence.outputs import is_classification
from heldout.engine.evidence.perturbing import perturbing
from heldout.engine.evidence.weights import has_initial_weights
from heldout.engine.population import Population
from heldout.engine.subject import Subject
from heldout.records import NotApplicable

TARGET = 0.1  # the training error that noise may cause, Jiang et al. 2020
FLOOR = 1e-3  # epsilon of the magnitude-aware noise, Jiang et al. 2020
SWEEPS = 16  # over the training set, for each of the two searches
SCOUTS = 8  # evaluations that find the region, on some of the draws
REFINEMENTS = 5  # evaluations on all draws


class NoiseScale(NamedTuple):
    """The largest noise that leaves the training error at or below a tenth, and the curve on which it was found.

    Attributes:
        scale: ``[M]``; NaN where the network's own training error is not below the target.
        standard_error: Over the draws, by the delta method, ``[M]``.
        converged: False where no bracket closed around the solution, ``[M]``.
        sigmas: Scales that were evaluated, ascending, ``[M, K]``.
        errors: Mean training error there, ``[M, K]``.
        errors_standard_error: Its standard error over the draws, ``[M, K]``.
    """

    scale: Tensor
    standard_error: Tensor
    converged: Tensor
    sigmas: Tensor
    errors: Tensor
    errors_standard_error: Tensor


@evidence(forward=SWEEPS, requires=is_classification)
def noise_scale(subject: Subject, folded: Population, errors: Tensor, labels: Tensor, seed: int) -> NoiseScale:
    r"""The largest sigma with ``E[training error(w + u)] <= 0.1``, u ~ N(0, sigma^2 I) over all folded parameters."""
    squares = torch.stack([
        weight.double().square().reshape(len(weight), -1).sum(1) for weight in folded.parameters.values()
    ]).sum(0)
    typical = (squares / folded.size).sqrt()
    start = torch.where(typical > 0, typical, 1.0) / 8  # only where the search begins: it expands from there

    def deviation(weight: Tensor, sigma: Tensor) -> Tensor:
        return as_wide_as(sigma, weight)

    return _searched(subject, folded, errors, labels, seed, deviation, start)


@evidence(forward=SWEEPS, requires=is_classification)
def magnitude_noise_scale(
    subject: Subject, folded: Population, errors: Tensor, labels: Tensor, seed: int
) -> NoiseScale:
    r"""The same for noise that follows the weights, u_i ~ N(0, sigma'^2 w_i^2 + epsilon^2) with epsilon = 1e-3."""

    def deviation(weight: Tensor, sigma: Tensor) -> Tensor:
        return ((as_wide_as(sigma, weight) * weight).square() + FLOOR**2).sqrt()  # not its square: that is the variance

    start = torch.full_like(errors[:, 0], 1 / 8)
    return _searched(subject, folded, errors, labels, seed, deviation, start)


@evidence(forward=3)
def noise_losses(
    subject: Subject, losses: Tensor, labels: Tensor, seed: int, *, rho: float = 0.1, sweeps: int = 3
) -> Tensor:
    """Rise of the mean training loss under noise N(0, rho^2 diag(w^2)) on the parameters as trained, ``[M, D]``, of pairs."""
    draws, examples = shares(len(subject.train), sweeps, lambda d: 2 * d)
    perturbed = perturbing(subject.population, subject.train, draws=draws, examples=examples, seed=seed)

    def increase(outputs: Tensor, few: Tensor) -> Tensor:
        there = subject.loss.per_example(outputs.flatten(0, 2), labels[:, few].flatten(0, 2))
        return (there.reshape(outputs.shape[:3]) - losses[:, few]).mean(-1)

    # The first-order term cancels in a pair of opposite draws, which leaves the mean as it is.
    up = perturbed(lambda weight: rho * weight.abs(), increase, draws)
    down = perturbed(lambda weight: -rho * weight.abs(), increase, draws)
    return (up + down) / 2


@evidence()
def folded_vector(folded: Population) -> Tensor:
    """All parameters of the folded network in one vector, ``[M, P]``, float64."""
    return torch.cat([weight.double().reshape(len(weight), -1) for weight in folded.parameters.values()], dim=1)


@evidence(requires=has_initial_weights)
def distance_vector(folded: Population, folded_at_init: Population) -> Tensor:
    """All parameters of the folded network minus those at initialisation, ``[M, P]``, float64."""
    if list(folded.parameters) != list(folded_at_init.parameters):
        raise NotApplicable("batch norm could be folded in only one of trained and initial network", do="fold both")
    pairs = zip(folded.parameters.values(), folded_at_init.parameters.values(), strict=True)
    return torch.cat(
        [(weight.double() - initial.double()).reshape(len(weight), -1) for weight, initial in pairs], dim=1
    )


def mistaken(subject: Subject, outputs: Tensor, labels: Tensor) -> Tensor:
    """Whether each answer is wrong; outputs that are not finite are, and a tie goes to the first class.

    Args:
        subject: Of a classification.
        outputs: Class scores ``[..., C]``, or one logit ``[...]`` or ``[..., 1]`` of a binary classification.
        labels: ``[...]``.

    Returns:
        0 or 1, ``[...]``, float64.
    """
    if subject.loss.name == "binary-cross-entropy":
        score = outputs.reshape(labels.shape)
        return (~score.isfinite() | ((score > 0).long() != labels)).double()
    return (~outputs.isfinite().all(-1) | (outputs.argmax(-1) != labels)).double()


def as_wide_as(scale: Tensor, weight: Tensor) -> Tensor:
    """One number a member, spread over a parameter.

    Args:
        scale: ``[M]``.
        weight: ``[M, ...]``.

    Returns:
        ``[M, 1, ...]`` in the parameter's precision.
    """
    return scale.to(weight.dtype).reshape(-1, *[1] * (weight.ndim - 1))


def shares(total: int, sweeps: int, cost: Callable[[int], int]) -> tuple[int, int]:
    """How many draws, and how many examples each, fit into some sweeps over the training set.

    The variance of a mean error over D draws and n examples each is near ``(a + b / n) / D``, and b, that between examples,
    is about ten times a, that between draws: the best choice of at most 128 draws, whose directions cost time too.

    Args:
        total: N.
        sweeps: To be spent.
        cost: Number of draws -> how often one example of a draw is evaluated, over all draws.

    Returns:
        D and n.
    """
    examples = {d: min(total, sweeps * total // cost(d)) for d in range(1, 129)}
    draws = max(examples, key=lambda d: d * examples[d] / (examples[d] + 10))
    return draws, max(1, examples[draws])


def scouts(draws: int) -> int:
    """How many of the draws look for the region: a quarter, and enough that they are not all lucky at hopeless noise.

    Args:
        draws: D.

    Returns:
        At most D.
    """
    return min(draws, max(24, draws // 4))


def _searched(
    subject: Subject,
    folded: Population,
    errors: Tensor,
    labels: Tensor,
    seed: int,
    deviation: Callable[[Tensor, Tensor], Tensor],
    start: Tensor,
) -> NoiseScale:
    draws, examples = shares(len(subject.train), SWEEPS, lambda d: REFINEMENTS * d + SCOUTS * scouts(d))
    perturbed = perturbing(folded, subject.train, draws=draws, examples=examples, seed=seed)
    own = errors.mean(1)

    def more_errors(outputs: Tensor, few: Tensor) -> Tensor:
        return (mistaken(subject, outputs, labels[:, few]) - errors[:, few]).mean(-1)

    def errors_at(octaves: Tensor, count: int) -> Tensor:
        sigma = start * octaves.exp2()
        # The errors that were there before the noise are known for all examples: only the change is sampled.
        return own.unsqueeze(1) + perturbed(lambda weight: deviation(weight, sigma), more_errors, count)

    # Where the network itself is beyond the target there is no solution; its curve is drawn around a rise by as much.
    defined = own < TARGET
    target = torch.where(defined, TARGET, own + TARGET)
    scout = walk(lambda x: errors_at(x, scouts(draws)), target, torch.zeros_like(own), first_step=2.0, steps=SCOUTS)
    fine = walk(lambda x: errors_at(x, draws), target, scout.crossing, first_step=0.5, steps=REFINEMENTS)
    scale, found = start * fine.crossing.exp2(), fine.closed & (fine.slope > 0)
    spread_of_octaves = torch.where(found, fine.crossing_spread / fine.slope, torch.nan)
    order = torch.cat([scout.octaves, fine.octaves], dim=1).argsort(dim=1)
    octaves, means, spread = (torch.cat(pair, dim=1).gather(1, order) for pair in zip(scout[:3], fine[:3], strict=True))
    return NoiseScale(
        scale=torch.where(defined, scale, torch.nan),
        standard_error=torch.where(defined, scale * math.log(2) * spread_of_octaves, torch.nan),
        converged=~defined | found,
        sigmas=start.unsqueeze(1) * octaves.exp2(),
        errors=means.clamp(0, 1),
        errors_standard_error=spread,
    )
