"""Influence of training examples on losses: what leaving one out would change, to first order."""

from typing import NamedTuple

import torch
from torch import Tensor

from heldout.catalog import evidence
from heldout.engine.evidence.curvature import Curvature, fits
from heldout.engine.evidence.curvature_products import products_of
from heldout.engine.evidence.example_gradients import example_gradients
from heldout.engine.evidence.gradients import gradient_moments, portions, room
from heldout.engine.evidence.outputs import has_test_data
from heldout.engine.numerics.conjugate_gradients import Solved, conjugate_gradients
from heldout.engine.population import stream
from heldout.engine.subject import Examples, Subject

DAMPING = 0.01  # of the largest eigenvalue: the condition is then at most 101, and the steps below suffice
STEPS = 60  # 2 (9 / 11)^60 = 1e-5 of the error in the norm of the matrix
TOLERANCE = 1e-3  # of the residual: products in float32 are good to about 1e-5
DRAWN = 12  # examples whose influence on themselves is found: each costs a solution of its own
BYTES_AT_ONCE = 256 * 2**20  # of vectors


class Influences(NamedTuple):
    """What leaving an example out would add to a loss.

    Attributes:
        values: ``[M, n]``, float64: to the mean test loss, or to the loss on the example itself.
        examples: Which training examples, ``[M, n]``, the same for all members.
        settled: Whether the solution behind each settled, ``[M, n]``.
        total: N.
    """

    values: Tensor
    examples: Tensor
    settled: Tensor
    total: int


def has_test_data_and_fits(subject: Subject) -> None:
    """Demand test data and a network whose vectors can be held.

    Args:
        subject: What is under study.
    """
    has_test_data(subject)
    fits(subject)


@evidence(forward=2, backward=60, thorough=True, requires=has_test_data_and_fits)
def test_influences(subject: Subject, ggn_curvature: Curvature) -> Influences:
    r"""What leaving out each training example would add to the mean test loss, ``[M, N]``; below 0 the loss would fall.

    .. math:: \frac1N \, \bar g_{\mathrm{test}}^T (G + \lambda I)^{-1} g_i

    Args:
        subject: With test data.
        ggn_curvature: For the damping.

    Returns:
        One value a training example.
    """
    assert subject.test is not None  # has_test_data was asked first
    population = subject.population
    mean = gradient_moments(_of(subject, subject.test)).mean
    right = torch.cat([mean[name].reshape(len(mean[name]), -1) for name in population.parameters], dim=1).unsqueeze(1)
    found = solved(subject, right, DAMPING * ggn_curvature.largest)
    values = dotted(subject, found.solution.squeeze(1)) / len(subject.train)
    every = torch.arange(len(subject.train), device=values.device).expand(values.shape)
    return Influences(values, every, found.settled.expand(values.shape), len(subject.train))


@evidence(forward=1, backward=500, thorough=True, requires=fits)
def self_influences(subject: Subject, ggn_curvature: Curvature, seed: int) -> Influences:
    r"""What leaving out an example would add to the loss on it, of 12 training examples drawn at random.

    .. math:: \frac1N \, g_i^T (G + \lambda I)^{-1} g_i

    Args:
        subject: What is under study.
        ggn_curvature: For the damping.
        seed: Of the draw, the same for all members.

    Returns:
        One value an example that was drawn.
    """
    places = torch.randperm(len(subject.train), generator=stream(seed, "self-influence"))[:DRAWN]
    own = gradients(_of(subject, subject.train.take(places)))
    found = solved(subject, own, DAMPING * ggn_curvature.largest)
    values = (found.solution * own).sum(-1) / len(subject.train)
    return Influences(values, places.to(values.device).expand(values.shape), found.settled, len(subject.train))


def solved(
    subject: Subject, right: Tensor, damping: Tensor, *, steps: int = STEPS, tolerance: float = TOLERANCE
) -> Solved:
    """Right-hand sides through the damped inverse of the Gauss-Newton matrix of the mean training loss.

    Args:
        subject: What is under study.
        right: ``[M, D, P]``, float64.
        damping: ``[M]``; a weight decay that the training had, ``weight_decay |w|^2 / 2``, belongs in it.
        steps: At most.
        tolerance: Of the residual.

    Returns:
        Solutions.
    """
    damping = damping.double().clamp(min=torch.finfo(torch.float64).tiny)  # a network without any slope solves to zero
    together = max(1, BYTES_AT_ONCE // (6 * 8 * right[0].numel()))
    rows = []
    for start in range(0, len(right), together):
        members = slice(start, min(start + together, len(right)))
        product = products_of(subject, members, "gauss-newton")
        rows.append(conjugate_gradients(product, right[members], damping[members], steps=steps, tolerance=tolerance))
    return Solved(*(torch.cat(column) for column in zip(*rows, strict=True)))


def dotted(subject: Subject, vectors: Tensor) -> Tensor:
    """Every training example's gradient times its network's vector, in one sweep.

    Args:
        subject: What is under study.
        vectors: ``[M, P]``.

    Returns:
        ``[M, N]``, float64.
    """
    population, gradients_of = subject.population, example_gradients(subject.population, subject)
    found = torch.zeros(len(population), len(subject.train), dtype=torch.float64, device=population.device)
    for few in portions(subject, *room(subject)):
        made = gradients_of(few.parameters, few.buffers, few.x, few.y, few.per_member)
        rows = torch.cat(
            [made[name].reshape(*made[name].shape[:2], -1) for name in population.parameters], dim=2
        ).double()
        found[few.members, few.examples] = (rows @ vectors[few.members].unsqueeze(2)).squeeze(2)
    return found


def gradients(subject: Subject) -> Tensor:
    """Every training example's gradient.

    Args:
        subject: With few examples.

    Returns:
        ``[M, N, P]``, float64.
    """
    population, gradients_of = subject.population, example_gradients(subject.population, subject)
    found = torch.zeros(
        len(population), len(subject.train), population.size, dtype=torch.float64, device=population.device
    )
    for few in portions(subject, *room(subject)):
        made = gradients_of(few.parameters, few.buffers, few.x, few.y, few.per_member)
        found[few.members, few.examples] = torch.cat(
            [made[name].reshape(*made[name].shape[:2], -1) for name in population.parameters], dim=2
        ).double()
    return found


def _of(subject: Subject, examples: Examples) -> Subject:
    """The same networks and loss on other examples."""
    return Subject(subject.population, examples, loss=subject.loss)
