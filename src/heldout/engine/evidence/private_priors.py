"""A prior around networks that the examples moved by a private vote, and a posterior around the trained ones."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.utils._pytree import tree_map

from heldout.catalog import evidence
from heldout.engine.evidence.drawing import gibbs_of, is_binary, posterior_for
from heldout.engine.evidence.posteriors import FROM_INITIAL, can_have_posterior
from heldout.engine.population import Population, stream
from heldout.engine.posteriors import Gibbs
from heldout.engine.posteriors.objectives import surrogate
from heldout.engine.subject import Examples, Subject

#: Fixed beforehand, as functions of n alone. Epsilon is this over the root of n, so that its price does not grow with n.
PRIVACY = 2.0
#: Directions: so many that noise does not drown the votes, whose typical share of a surplus is as below.
ROOT_SHARE, TYPICAL = 16.0, 0.15
REACH = 1.0  # standard deviation of a direction, of the root mean square of a tensor's weights
FLOOR, UNIT = 1e-5, 1.0  # of the loss by which an example votes


@dataclass(frozen=True, slots=True, eq=False)
class PrivatePrior:
    """Networks that a private mechanism moved.

    Attributes:
        networks: Means of the prior.
        epsilon: Of pure differential privacy of the votes, an example being replaced.
        directions: How many were voted on.
    """

    networks: Population
    epsilon: float
    directions: int


@dataclass(frozen=True, slots=True, eq=False)
class PrivateGibbs:
    """A Gibbs predictor whose prior is private, with what its privacy is.

    Attributes:
        gibbs: The posterior's divergence and draws, on the same examples that voted.
        epsilon: Of the prior.
        directions: That were voted on.
    """

    gibbs: Gibbs
    epsilon: float
    directions: int


def laplace_counts(votes: Tensor, epsilon: float, generator: torch.Generator) -> Tensor:
    r"""Surpluses of votes with noise on whole numbers: no place after the comma gives anything away.

    An example votes -1, 0 or 1 on each of B questions, so that replacing one moves the B sums by 2 B in all. Noise with
    :math:`P(k) \propto e^{-|k| \epsilon / (2 B)}` on each, a difference of two geometric variables, makes all of them together
    epsilon-private (Dwork et al. 2006; Ghosh, Roughgarden and Sundararajan 2009).

    Args:
        votes: ``[M, B, N]``, -1, 0 or 1.
        epsilon: Of each member's answer.
        generator: Of noise that no example knows; members share it.

    Returns:
        ``[M, B]``, float64 whole numbers.
    """
    scale = 2 * votes.shape[1] / epsilon
    uniform = torch.rand(2, votes.shape[1], dtype=torch.float64, generator=generator)
    geometric = (-scale * torch.log1p(-uniform)).floor()
    return votes.to(torch.int64).sum(-1).double() + (geometric[0] - geometric[1]).to(votes.device)


@evidence(forward=60, requires=can_have_posterior)
def private_prior(subject: Subject, train_repeats: int, seed: int) -> PrivatePrior:
    """The networks before training, moved along random directions by as much as the examples prefer one side, privately counted."""
    assert subject.initial is not None  # can_have_posterior was asked first
    start, n = subject.initial, len(subject.train)
    epsilon, count = PRIVACY / math.sqrt(n), max(1, round(math.sqrt(n) / ROOT_SHARE))
    directions = {
        name: REACH
        * (weight.double().square().reshape(len(weight), -1).mean(1).sqrt()).reshape(-1, 1, *[1] * (weight.ndim - 1))
        * torch.stack([
            torch.randn(weight.shape[1:], dtype=torch.float64, generator=stream(seed, "private direction", place, name))
            for place in range(count)
        ]).to(weight.device)
        for name, weight in start.parameters.items()
    }  # name -> [M, B, ...]
    losses = [_losses(subject, start, directions, side) for side in (1.0, -1.0)]
    votes = torch.sign(losses[1] - losses[0]).nan_to_num(
        0.0
    )  # 1 for an example whose loss is smaller on the first side
    surplus = laplace_counts(votes, epsilon, stream(seed, "private noise")) / n
    noise = 2 * math.sqrt(2) * count / (epsilon * n)  # standard deviation of a surplus; what follows costs no privacy
    steps = surplus.clamp(-1, 1) * TYPICAL**2 / (TYPICAL**2 + noise**2)
    moved = {
        name: weight + torch.einsum("mb,mb...->m...", steps, directions[name]).to(weight.dtype)
        for name, weight in start.parameters.items()
    }
    return PrivatePrior(start.with_tensors(moved, start.buffers), epsilon, count)


@evidence(forward=500, backward=400, requires=can_have_posterior)
def private_gibbs(subject: Subject, private_prior: PrivatePrior, seed: int) -> PrivateGibbs:
    """A Gaussian around each network, with the private prior's variance chosen from the grid, and its draws on all examples."""
    n = len(subject.train)
    found = posterior_for(subject.population, private_prior.networks, subject.train, subject, FROM_INITIAL, seed)
    data = {
        "prior": f"all {n} training examples voted on {private_prior.directions} random directions, "
        f"{private_prior.epsilon:.4g}-differentially private",
        "posterior": f"all {n} training examples",
        "bound": f"all {n} training examples, assumed to be independent draws",
        "draws": f"made once, from seed {seed}",
    }
    gibbs = gibbs_of(subject, found, subject.train, data, seed)
    return PrivateGibbs(gibbs, private_prior.epsilon, private_prior.directions)


def _losses(subject: Subject, start: Population, directions: dict[str, Tensor], side: float) -> Tensor:
    """Losses on all training examples of every network on one side of every direction, ``[M, B, N]``."""
    members, count, examples = len(start), next(iter(directions.values())).shape[1], subject.train
    parameters = {
        name: (weight.unsqueeze(1) + (side * directions[name]).to(weight.dtype)).flatten(0, 1)
        for name, weight in start.parameters.items()
    }
    buffers = {name: buffer.repeat_interleave(count, 0) for name, buffer in start.buffers.items()}
    x = tree_map(lambda leaf: leaf.repeat_interleave(count, 0), examples.x) if examples.x_per_member else examples.x
    with torch.no_grad():
        outputs = start.with_tensors(parameters, buffers)(x, per_member=examples.x_per_member)
    labels = _labels(examples, members, count).to(outputs.device)
    losses = surrogate(
        outputs.flatten(0, 1).double(), labels, binary=is_binary(subject), floor=FLOOR, unit=UNIT
    )  # one row a network and example
    return losses.reshape(members, count, len(examples))


def _labels(examples: Examples, members: int, count: int) -> Tensor:
    return examples.labels(members).unsqueeze(1).expand(members, count, -1).reshape(-1)
