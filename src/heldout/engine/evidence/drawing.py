"""How posteriors are trained and drawn from for a subject: adapted to its size, its task and its architecture."""

import math
import warnings
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from heldout.engine.population import Inputs, Population
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
from heldout.engine.subject import Examples, Subject
from heldout.engine.training import Recipe, fit
from heldout.records import NotApplicable

EVALUATIONS = 100_000  # pairs of example and draw that a Gibbs risk is a mean of: the draws then leave little open
COSTLY = 10_000  # the same where weights, not pre-activations, must be drawn for every example
WHOLE = 300  # draws that are judged on all examples, where an architecture cannot be vectorised over weights
EPOCHS = 20  # of a posterior's training, where that is more than its steps
MOST_EPOCHS = 200  # where that is less: few examples are soon known
UNIT = 1.5  # nats of cross-entropy that count as one error, over those of guessing: with fewer the divergence grows too large


def trained_networks(initial: Population, part: Examples, recipe: Recipe, seed: int) -> Population:
    """Networks for a prior, trained on a part of the examples.

    Args:
        initial: Before training.
        part: Of the training examples.
        recipe: How; batches are never larger than the part.
        seed: Of everything random.

    Returns:
        The networks.

    Raises:
        NotApplicable: If the training diverged.
    """
    if recipe.batch_size is not None:
        recipe = recipe.but(batch_size=min(recipe.batch_size, recipe.subset or len(part), len(part)))
    with torch.enable_grad():
        fitted = fit(initial, part, recipe, seed=seed)
    if "not finite" in fitted.reason:
        raise NotApplicable("the training of the prior's networks diverged", do="pass a recipe with a smaller rate")
    return fitted.final


def posterior_for(
    start: Population,
    prior: Gaussian | Population,
    examples: Examples,
    subject: Subject,
    settings: Settings,
    seed: int,
    *,
    size: int | None = None,
) -> Posterior:
    """Train a posterior for a bound on some examples.

    Args:
        start: Means at the start.
        prior: Fixed before; or its means alone, its variance then being chosen from the grid.
        examples: For the training.
        subject: Whose task it is.
        settings: How, with steps and the unit of the loss adapted to the data.
        seed: Of batches and noise.
        size: Examples of the bound; as many as train the posterior unless given.

    Returns:
        The posterior with its prior.
    """
    there = Examples(
        placed(examples.x, start.device, start.dtype), examples.y.to(start.device), examples.x_per_member,
        examples.y_per_member,
    )  # fmt: skip
    epoch = math.ceil(len(examples) / min(settings.batch_size, len(examples)))
    steps = min(max(settings.steps, EPOCHS * epoch), MOST_EPOCHS * epoch)
    if isinstance(prior, Population):  # far from its prior a posterior must count its nats
        settings = replace(settings, unit=UNIT * math.log(max(2, subject.classes or 2)))
    return trained_posterior(
        start, prior, there, bound_size=size or len(examples), binary=is_binary(subject),
        settings=replace(settings, steps=steps), seed=seed,
    )  # fmt: skip


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
    wrong, independent = errors_of_draws(subject, found.posterior, bound, seed)
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


def errors_of_draws(
    subject: Subject, posterior: Gaussian, bound: Examples, seed: int, purpose: str = "draws"
) -> tuple[Tensor, int]:
    """What draws do on examples, in the way that the architecture allows.

    Args:
        subject: Whose task it is.
        posterior: From which is drawn.
        bound: N examples.
        seed: Of the draws.
        purpose: Names the stream.

    Returns:
        Errors ``[M, D, N]`` with D even, and how many independent losses in [0, 1] their mean is a mean of.
    """
    binary = is_binary(subject)
    dense = bool(dense_layers(posterior.centre, subject.probe))
    if not dense and not _stackable(posterior.centre, subject.probe):
        return per_draw(posterior, bound, draws=WHOLE, binary=binary, seed=seed, purpose=purpose), WHOLE
    draws = 2 * math.ceil((EVALUATIONS if dense else COSTLY) / len(bound) / 2)
    return per_example(posterior, bound, draws=draws, binary=binary, seed=seed, purpose=purpose), draws * len(bound)


def is_binary(subject: Subject) -> bool:
    """Whether the networks give one logit an example.

    Args:
        subject: A classification.

    Returns:
        True under binary cross-entropy.
    """
    return subject.loss.name == "binary-cross-entropy"


def _stackable(population: Population, probe: Inputs) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that members are called one by one was said where the subject was measured
        twice = {n: torch.cat([t[:1], t[:1]]) for n, t in population.parameters.items()}
        buffers = {n: torch.cat([t[:1], t[:1]]) for n, t in population.buffers.items()}
        return population.with_tensors(twice, buffers).stackable(probe)


def _means(wrong: Tensor) -> np.ndarray:
    return _array(wrong.sum(1)) / wrong.shape[1]


def _array(values: Tensor) -> np.ndarray:
    return values.double().cpu().numpy()
