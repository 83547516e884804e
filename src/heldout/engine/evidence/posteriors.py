"""Gaussian posteriors around networks, trained and evaluated for the PAC-Bayes bounds."""

import torch
from torch import Tensor

from heldout.catalog import evidence
from heldout.engine.evidence.drawing import gibbs_of, is_binary, posterior_for, trained_networks
from heldout.engine.evidence.outputs import is_classification
from heldout.engine.evidence.weights import has_initial_weights
from heldout.engine.population import Population, stream
from heldout.engine.posteriors import Gaussian, Gibbs, Posterior, Settings, network_errors
from heldout.engine.posteriors.splitting import check_prior, repeated
from heldout.engine.subject import Subject
from heldout.engine.training import Recipe
from heldout.records import NotApplicable, Refusal

#: Of the priors, fixed beforehand: chosen by looking at a bound they would have to be paid for.
SHARE = 0.5  # of the training data for a learnt prior
NARROW = 0.1  # its standard deviations, of the size of a layer's weights
LEAST = 8  # examples from which Maurer's constant holds

#: Of the posteriors, for which the bounds hold at once, so that nothing here moves their validity; by trials on 8x8 digits.
FROM_INITIAL = Settings(objective="classic", scale=0.1, steps=600, batch_size=128, lr=4e-2, scale_lr=0.1)
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


@evidence(requires=can_have_posterior)
def train_repeats(subject: Subject) -> int:
    """How many training examples have the input of another; copies are no independent draws, so the user must say what they are."""
    count = repeated(subject.train)
    if count and subject.duplicates == "refuse":
        raise NotApplicable(
            f"{count} training examples have the same input as another, and copies are no independent draws",
            do="remove them, or say duplicates='allow' if independent draws repeat in these data",
        )
    return count


@evidence(forward=400, backward=400, requires=can_have_posterior)
def posterior_from_initial(subject: Subject, train_repeats: int, seed: int) -> Posterior:
    """Gaussian around each network, trained from its weights; prior around the networks before training."""
    return posterior_for(subject.population, _initial(subject), subject.train, subject, FROM_INITIAL, seed)


@evidence(forward=100, requires=can_have_posterior)
def gibbs_from_initial(subject: Subject, posterior_from_initial: Posterior, train_repeats: int, seed: int) -> Gibbs:
    """That posterior's draws on all training examples."""
    data = {
        "prior": "the networks before training, as the user declares: no example took part",
        "posterior": f"all {len(subject.train)} training examples",
        "bound": f"all {len(subject.train)} training examples, assumed to be independent draws",
        "repeats": f"{train_repeats} training examples have the input of another",
        "draws": f"made once, from seed {seed}",
    }
    return gibbs_of(subject, posterior_from_initial, subject.train, data, seed)


@evidence(requires=can_have_posterior)
def prior_split(subject: Subject, train_repeats: int, seed: int) -> tuple[Tensor, Tensor]:
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
    return trained_networks(_initial(subject), subject.train.take(prior_split[0]), recipe, seed)


@evidence(forward=200, backward=200, requires=can_have_posterior)
def posterior_from_split(
    subject: Subject, learnt_prior: Population, prior_split: tuple[Tensor, Tensor], seed: int
) -> Posterior:
    """Gaussian trained from the learnt prior's networks on the bound's part of the split, the prior's scales being fixed."""
    prior, bound = Gaussian.relative(learnt_prior, NARROW), subject.train.take(prior_split[1])
    return posterior_for(learnt_prior, prior, bound, subject, FROM_SPLIT, seed)


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


def _initial(subject: Subject) -> Population:
    assert subject.initial is not None  # can_have_posterior was asked first
    return subject.initial
