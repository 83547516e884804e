"""Gaussian posteriors around networks, trained and evaluated for the PAC-Bayes bounds."""

import math
import warnings
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from heldout.catalog import evidence
from heldout.engine.evidence.outputs import is_classification
from heldout.engine.evidence.weights import has_initial_weights
from heldout.engine.population import Inputs, Population, stream
from heldout.engine.population.calling import placed
from heldout.engine.posteriors import (
    Gaussian,
    Gibbs,
    Posterior,
    Settings,
    SingleDraw,
    drawn,
    log_ratio,
    network_errors,
    per_draw,
    per_example,
    trained_posterior,
)
from heldout.engine.posteriors.dense import dense_layers
from heldout.engine.posteriors.splitting import check_prior
from heldout.engine.subject import Examples, Subject
from heldout.engine.training import Recipe, fit
from heldout.records import NotApplicable, Refusal

EVALUATIONS = (
    100_000  # pairs of example and draw that a Gibbs risk is a mean of: the Monte-Carlo step then costs little
)
COSTLY = 10_000  # the same where weights, not pre-activations, must be drawn for every example
WHOLE = 300  # draws that are judged on all examples, where an architecture cannot be vectorised over weights
EPOCHS = 20  # of a posterior's training, where that is more than its steps
SHARE = 0.5  # of the training data for a learnt prior
LEAST = 8  # examples from which Maurer's constant holds
NARROW = 0.1  # standard deviations of a learnt prior, of the size of a layer's weights

#: Chosen on 8x8 digits (1000 examples, seed 0) by the size of the bound; a setting moves a bound, never its validity.
FROM_INITIAL = Settings(
    objective="classic", scale=0.1, steps=600, batch_size=128, lr=4e-2, scale_lr=0.1, unit=3.0
)  # three nats an error: with a tenth of that the few examples would have to carry too many nats
FROM_SPLIT = Settings(objective="quadratic", steps=300, batch_size=128, lr=3e-3, scale_lr=2e-2)


def can_have_posterior(subject: Subject) -> None:
    """Demand a classification whose weights before training are known.

    Args:
        subject: What is under study.

    Raises:
        NotApplicable: If it is a regression, has too few examples, or the initial weights are not known.
    """
    is_classification(subject)
    has_initial_weights(subject)
    if len(subject.train) < 2 * LEAST:
        raise NotApplicable(f"there are only {len(subject.train)} training examples", do=f"pass at least {2 * LEAST}")


@evidence(forward=400, backward=400, requires=can_have_posterior)
def posterior_from_initial(subject: Subject, seed: int) -> Posterior:
    """Gaussian around each network, trained from its weights; prior around the networks before training."""
    return _trained(subject.population, _initial(subject), subject.train, subject, FROM_INITIAL, seed)


@evidence(forward=100, requires=can_have_posterior)
def gibbs_from_initial(subject: Subject, posterior_from_initial: Posterior, seed: int) -> Gibbs:
    """That posterior's draws on all training examples."""
    data = {
        "prior": "the networks before training, as the user declares: no example took part",
        "posterior": f"all {len(subject.train)} training examples",
        "bound": f"all {len(subject.train)} training examples, assumed to be independent draws",
        "draws": f"made once, from seed {seed}",
    }
    return gibbs_of(subject, posterior_from_initial, subject.train, data, seed)


@evidence(requires=can_have_posterior)
def prior_split(subject: Subject, seed: int) -> tuple[Tensor, Tensor]:
    """Places of the training examples that train a prior, and of those that the bound rests on: a seeded split."""
    order = torch.randperm(len(subject.train), generator=stream(seed, "prior split"))
    cut = max(LEAST, round(SHARE * len(subject.train)))
    prior, bound = order[:cut].sort().values, order[cut:].sort().values
    try:
        check_prior(subject.train, prior, bound, content=subject.duplicates == "refuse")
    except Refusal as fault:  # the data as they are: the certificate is left out with this reason
        raise NotApplicable(f"{fault.given} (expected {fault.expected})", do=fault.do) from None
    return prior, bound


@evidence(forward=200, backward=200, requires=can_have_posterior)
def learnt_prior(subject: Subject, prior_split: tuple[Tensor, Tensor], recipe: Recipe, seed: int) -> Population:
    """The networks before training, trained by the recipe on the first part of the split alone."""
    part = subject.train.take(prior_split[0])
    if recipe.batch_size is not None:
        recipe = recipe.but(batch_size=min(recipe.batch_size, recipe.subset or len(part), len(part)))
    with torch.enable_grad():
        fitted = fit(_initial(subject), part, recipe, seed=seed)
    if "not finite" in fitted.reason:
        raise NotApplicable("the training of the prior's networks diverged", do="pass a recipe with a smaller rate")
    return fitted.final


@evidence(forward=200, backward=200, requires=can_have_posterior)
def posterior_from_split(
    subject: Subject, learnt_prior: Population, prior_split: tuple[Tensor, Tensor], seed: int
) -> Posterior:
    """Gaussian trained from the learnt prior's networks on the bound's part of the split, the prior's scales being fixed."""
    prior, bound = Gaussian.relative(learnt_prior, NARROW), subject.train.take(prior_split[1])
    return _trained(learnt_prior, prior, bound, subject, FROM_SPLIT, seed)


@evidence(forward=100, requires=can_have_posterior)
def gibbs_from_split(
    subject: Subject,
    posterior_from_split: Posterior,
    learnt_prior: Population,
    prior_split: tuple[Tensor, Tensor],
    seed: int,
) -> Gibbs:
    """That posterior's draws on the part of the split that the prior has not seen."""
    first, second = prior_split
    bound = subject.train.take(second)
    data = {
        "prior": f"{len(first)} training examples, drawn with seed {seed}; none of the bound's, by place and by content",
        "posterior": f"the other {len(second)} training examples, around the prior's networks",
        "bound": f"the other {len(second)} training examples, assumed to be independent draws",
        "draws": f"made once, from seed {seed}",
    }
    wrong = network_errors(learnt_prior, bound, binary=is_binary(subject)).sum(1)
    return gibbs_of(subject, posterior_from_split, bound, data, seed, wrong)


def gibbs_of(
    subject: Subject,
    found: Posterior,
    bound: Examples,
    data: dict[str, str],
    seed: int,
    reference: Tensor | None = None,
) -> Gibbs:
    """Evaluate a posterior on the bound's examples: by draws for each example, by pairs of draws, and by one draw.

    Args:
        subject: Whose task it is.
        found: The posterior with its prior.
        bound: The bound's examples.
        data: Role -> examples.
        seed: Of the draws.
        reference: Errors of the prior's networks, where they were trained on other examples.

    Returns:
        What the bounds are made from.
    """
    binary = is_binary(subject)
    wrong, independent = _errors_of_draws(subject, found.posterior, bound, seed)
    both = wrong[:, 0::2] & wrong[:, 1::2]
    one = drawn(found.posterior, 1, seed=seed, purpose="single draw")
    single = SingleDraw(
        risk=_means(network_errors(one, bound, binary=binary)),
        log_ratio=_array(log_ratio(found.posterior, found.prior, one)),
    )
    return Gibbs(
        divergence=_array(found.divergence),
        price=_array(found.price),
        risk=_means(wrong.flatten(1)),
        draws=independent,
        examples=len(bound),
        single=single,
        pair_risk=_means(both.flatten(1)),
        pairs=independent // 2,
        reference_errors=None if reference is None else _array(reference),
        data=data,
    )


def _errors_of_draws(subject: Subject, posterior: Gaussian, bound: Examples, seed: int) -> tuple[Tensor, int]:
    """Errors ``[M, D, N]`` with D even, and how many independent losses their mean is a mean of."""
    binary = is_binary(subject)
    dense = bool(dense_layers(posterior.centre, subject.probe))
    if not dense and not _stackable(posterior.centre, subject.probe):
        return per_draw(posterior, bound, draws=WHOLE, binary=binary, seed=seed), WHOLE
    draws = 2 * math.ceil((EVALUATIONS if dense else COSTLY) / len(bound) / 2)
    return per_example(posterior, bound, draws=draws, binary=binary, seed=seed), draws * len(bound)


def _stackable(population: Population, probe: Inputs) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that members are called one by one was said where the subject was measured
        twice = {n: torch.cat([t[:1], t[:1]]) for n, t in population.parameters.items()}
        buffers = {n: torch.cat([t[:1], t[:1]]) for n, t in population.buffers.items()}
        return population.with_tensors(twice, buffers).stackable(probe)


def is_binary(subject: Subject) -> bool:
    """Whether the networks give one logit an example.

    Args:
        subject: A classification.

    Returns:
        True under binary cross-entropy.
    """
    return subject.loss.name == "binary-cross-entropy"


def _trained(
    start: Population, prior: Gaussian | Population, examples: Examples, subject: Subject, settings: Settings, seed: int
) -> Posterior:
    there = Examples(
        placed(examples.x, start.device, start.dtype), examples.y.to(start.device), examples.x_per_member,
        examples.y_per_member,
    )  # fmt: skip
    steps = max(settings.steps, math.ceil(EPOCHS * len(examples) / settings.batch_size))
    return trained_posterior(
        start, prior, there, bound_size=len(examples), binary=is_binary(subject),
        settings=replace(settings, steps=steps), seed=seed,
    )  # fmt: skip


def _initial(subject: Subject) -> Population:
    assert subject.initial is not None  # can_have_posterior was asked first
    return subject.initial


def _means(wrong: Tensor) -> np.ndarray:
    return _array(wrong.sum(1)) / wrong.shape[1]


def _array(values: Tensor) -> np.ndarray:
    return values.double().cpu().numpy()
