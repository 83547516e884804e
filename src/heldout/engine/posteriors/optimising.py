"""Training of means and scales for a PAC-Bayes objective, all members at once."""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from heldout.engine.population import Population, stream
from heldout.engine.posteriors.gaussian import Gaussian, divergence
from heldout.engine.posteriors.grid import on_grid, price, variance_at
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
    means = {name: weight.detach().clone() for name, weight in start.parameters.items()}
    others = {"trade": torch.zeros(len(centre), device=centre.device, dtype=centre.dtype)}
    for name, weight in means.items():
        shape = weight.shape if settings.per == "weight" else (len(weight), *[1] * (weight.ndim - 1))
        log = prior.log_scales[name] if isinstance(prior, Gaussian) else torch.tensor(math.log(settings.scale))
        others[name] = log.to(weight).expand(shape).clone()
    objective, log_delta = objective_named(settings.objective), math.log(settings.delta)

    def total(
        means: dict[str, Tensor], others: dict[str, Tensor], batch: Examples, generator: torch.Generator
    ) -> Tensor:
        scales = {name: others[name].exp().expand_as(mean) for name, mean in means.items()}
        nats = nats_of(means, others)
        risk = risk_of(means, scales, batch, generator)
        return objective(Terms(risk, nats, bound_size, log_delta, 2 * others["trade"].sigmoid())).sum()

    before = dict(others)
    slopes = torch.func.grad(total, argnums=(0, 1))
    memory = [slots(ADAM, part) for part in (means, others)]
    ones = torch.ones(len(centre), device=centre.device)
    draw = stream(seed, "posterior batches")
    for step in range(settings.steps):
        few = torch.randint(len(examples), (min(settings.batch_size, len(examples)),), generator=draw)
        gradients = slopes(means, others, examples.take(few), stream(seed, "posterior noise", step))
        left = 1 - step / settings.steps
        for place, (part, rate) in enumerate(((means, settings.lr), (others, settings.scale_lr))):
            rates = Rates(rate * left * ones, 0 * ones, 0 * ones, step * ones)
            new, memory[place] = updated(ADAM, part, gradients[place], memory[place], rates)
            part.update(new)
    centre.tally.forward += settings.steps * min(settings.batch_size, len(examples)) * len(centre)
    centre.tally.backward += settings.steps * min(settings.batch_size, len(examples)) * len(centre)
    del others["trade"]
    lost = ~_finite(means) | ~_finite(others)
    for name, weight in start.parameters.items():  # a training that diverged is no training: back to its start
        means[name][lost], others[name][lost] = weight[lost], before[name][lost]
    posterior = Gaussian(centre.with_tensors(means, centre.buffers), {n: log.double() for n, log in others.items()})
    if isinstance(prior, Population):
        return with_grid_prior(posterior, prior)
    free = torch.zeros(len(centre), dtype=torch.float64, device=centre.device)
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


def _finite(tensors: dict[str, Tensor]) -> Tensor:
    return torch.stack([tensor.isfinite().reshape(len(tensor), -1).all(1) for tensor in tensors.values()]).all(0)
