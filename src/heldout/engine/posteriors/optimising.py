"""Training of means and scales for a PAC-Bayes objective, all members at once."""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from heldout.engine.population import Population, stream
from heldout.engine.posteriors.gaussian import Gaussian, divergence
from heldout.engine.posteriors.grid import on_grid, price, variance_at
from heldout.engine.posteriors.mapping import Tensors, by_name, in_rows
from heldout.engine.posteriors.nats import fixed_divergence, profiled_divergence
from heldout.engine.posteriors.objectives import Terms, objective_named
from heldout.engine.posteriors.risks import surrogate_risk
from heldout.engine.posteriors.settings import Settings
from heldout.engine.subject import Examples
from heldout.engine.training import Recipe
from heldout.engine.training.optimizers import Rates, slots, updated

ADAM = Recipe(optimizer="adam")


class Posterior(NamedTuple):
    """A posterior with its prior.

    Attributes:
        posterior: Q.
        prior: P.
        place: Where the prior's variance stands on the grid, ``[M]``; 0 where it was not chosen from it.
        divergence: KL of Q from P in nats, ``[M]``, float64.
        price: Nats for the choice of the variance, ``[M]``; 0 where it was fixed before.
    """

    posterior: Gaussian
    prior: Gaussian
    place: Tensor
    divergence: Tensor
    price: Tensor


def trained_posterior(
    start: Population,
    prior: Gaussian | Population,
    examples: Examples,
    *,
    bound_size: int,
    binary: bool,
    settings: Settings,
    seed: int,
) -> Posterior:
    """Train Gaussians around networks, from a start, for a bound with a prior around other networks.

    Buffers are the prior's: what is not drawn must not depend on the bound's examples.

    Args:
        start: Means at the start.
        prior: That saw none of the bound's examples; or its means alone, its variance then being chosen from the grid at a price.
        examples: For the training of the posterior; they may hold the bound's.
        bound_size: n, how many examples the bound will rest on.
        binary: Whether the outputs are logits of class 1.
        settings: How.
        seed: Of batches and noise.

    Returns:
        Posterior and prior, a variance from the grid rounded to it, and the divergence computed anew.
    """
    centre = prior.centre if isinstance(prior, Gaussian) else prior
    nats_of = fixed_divergence(prior) if isinstance(prior, Gaussian) else profiled_divergence(prior)
    risk_of = surrogate_risk(centre, examples, binary=binary, settings=settings)
    shapes, free = centre.parameters, torch.zeros(len(centre), dtype=torch.float64, device=centre.device)
    at_start = in_rows(start.parameters, shapes).detach(), _first_logs(prior, shapes, settings)
    # A scale of a layer stands once in the row of scales, and is read for every weight of it.
    owner = _owners(shapes) if settings.per == "layer" else slice(None)
    means, others = {"means": at_start[0]}, {"logs": at_start[1], "trade": free.to(at_start[0].dtype)}
    objective, log_delta = objective_named(settings.objective), math.log(settings.delta)

    def total(
        means: dict[str, Tensor], others: dict[str, Tensor], batch: Examples, generator: torch.Generator
    ) -> Tensor:
        mean, logs = means["means"], others["logs"][:, owner]
        risk = risk_of(by_name(mean, shapes), by_name(logs.exp(), shapes), batch, generator)
        nats, trade = nats_of(mean, logs), 2 * others["trade"].sigmoid()
        return objective(Terms(risk, nats, bound_size, log_delta, trade)).sum()

    slopes = torch.func.grad(total, argnums=(0, 1))
    memory = [slots(ADAM, part) for part in (means, others)]
    ones, size = torch.ones(len(centre), device=centre.device), min(settings.batch_size, len(examples))
    draw = stream(seed, "posterior batches")
    for step in range(settings.steps):
        few = torch.randint(len(examples), (size,), generator=draw)
        gradients = slopes(means, others, examples.take(few), stream(seed, "posterior noise", step))
        left = 1 - step / settings.steps
        for place, (part, rate) in enumerate(((means, settings.lr), (others, settings.scale_lr))):
            rates = Rates(rate * left * ones, 0 * ones, 0 * ones, step * ones)
            new, memory[place] = updated(ADAM, part, gradients[place], memory[place], rates)
            part.update(new)
    centre.tally.forward += settings.steps * size * len(centre)
    centre.tally.backward += settings.steps * size * len(centre)
    kept = (means["means"].isfinite().all(1) & others["logs"].isfinite().all(1)).unsqueeze(1)
    # A training that diverged is no training: back to its start.
    ends = [
        torch.where(kept, end, first) for end, first in zip((means["means"], others["logs"]), at_start, strict=True)
    ]
    scales = by_name(ends[1][:, owner].double(), {name: like.double() for name, like in shapes.items()})
    if settings.per == "layer":
        scales = {name: scale.flatten(1)[:, 0].reshape(-1, *[1] * (scale.ndim - 1)) for name, scale in scales.items()}
    posterior = Gaussian(centre.with_tensors(by_name(ends[0], shapes), centre.buffers), scales)
    if isinstance(prior, Population):
        return with_grid_prior(posterior, prior)
    return Posterior(posterior, prior, free, divergence(posterior, prior), free)


def with_grid_prior(posterior: Gaussian, centre: Population) -> Posterior:
    """Choose the prior's variance from its grid: the best for this posterior, rounded.

    Args:
        posterior: Q.
        centre: Means of the prior.

    Returns:
        Both, with the divergence and the price of the choice.
    """
    spread = torch.zeros(len(centre), dtype=torch.float64, device=centre.device)
    for name, mean in posterior.centre.parameters.items():
        variance = (2 * posterior.log_scales[name].double()).exp().expand_as(mean)
        moved = (mean.double() - centre.parameters[name].double()).square()
        spread += (variance + moved).reshape(len(mean), -1).sum(1)
    place = on_grid(spread / centre.size)
    prior = Gaussian.around(centre, variance_at(place).sqrt())
    return Posterior(posterior, prior, place, divergence(posterior, prior), price(place))


def _owners(shapes: Tensors) -> Tensor:
    """Number of the tensor that each place of a row belongs to."""
    sizes = torch.tensor([like[0].numel() for like in shapes.values()])
    return torch.repeat_interleave(torch.arange(len(sizes)), sizes)


def _first_logs(prior: Gaussian | Population, shapes: Tensors, settings: Settings) -> Tensor:
    """Logarithms of the scales at the start: the prior's, or as the settings say; one a weight or one a tensor."""
    like = next(iter(shapes.values()))
    if isinstance(prior, Population):
        logs = {name: torch.full_like(one, math.log(settings.scale)) for name, one in shapes.items()}
    else:
        logs = {name: log.to(like) for name, log in prior.log_scales.items()}
    if settings.per == "weight":
        return in_rows(logs, shapes)
    return torch.stack([logs[name].reshape(len(like), -1).mean(1) for name in shapes], dim=1)
