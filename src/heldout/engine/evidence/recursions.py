"""A sequence of posteriors, each the prior of the next: evidence of the recursive PAC-Bayes bound."""

from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from heldout.catalog import evidence
from heldout.engine.evidence.drawing import errors_of_draws, posterior_for, trained_networks
from heldout.engine.evidence.posteriors import FROM_INITIAL, LEAST, can_have_posterior
from heldout.engine.population import stream
from heldout.engine.posteriors import Posterior, Recursion, Settings
from heldout.engine.posteriors.splitting import check_prior
from heldout.engine.subject import Subject
from heldout.engine.training import Recipe
from heldout.records import NotApplicable, Refusal

PARTS = 4  # an eighth, an eighth, a quarter and a half of the examples: geometric, Wu et al. 2024, section 5
GAMMA = 0.5  # how much of the former bound is kept, likewise
LATER = Settings(objective="quadratic", steps=300, batch_size=128, lr=1e-2, scale_lr=2e-2)


@evidence(requires=can_have_posterior)
def recursive_parts(subject: Subject, train_repeats: int, seed: int) -> tuple[Tensor, ...]:
    """Places of the training examples, cut into parts of which the last is half of all: seeded."""
    count = len(subject.train)
    order = torch.randperm(count, generator=stream(seed, "recursive split"))
    cuts = [0, *(round(count / 2 ** (PARTS - part)) for part in range(1, PARTS)), count]
    parts = tuple(order[a:b].sort().values for a, b in pairwise(cuts))
    if min(map(len, parts)) < LEAST:
        raise NotApplicable(f"there are only {count} training examples", do=f"pass at least {LEAST * 2 ** (PARTS - 1)}")
    try:
        for part in range(1, PARTS):
            seen, left = torch.cat(parts[:part]), torch.cat(parts[part:])
            check_prior(subject.train, seen, left, content=subject.duplicates == "refuse")
    except Refusal as fault:  # the data as they are: the certificate is left out with this reason
        raise NotApplicable(f"{fault.given} (expected {fault.expected})", do=fault.do) from None
    return parts


@evidence(forward=800, backward=800, requires=can_have_posterior)
def recursive_posteriors(
    subject: Subject, recursive_parts: tuple[Tensor, ...], recipe: Recipe, seed: int
) -> tuple[Posterior, ...]:
    """Gaussians of which the t-th is trained on the first t parts, with its predecessor as prior."""
    first = subject.train.take(recursive_parts[0])
    assert subject.initial is not None  # can_have_posterior was asked first
    networks = trained_networks(subject.initial, first, recipe, seed)
    found = [posterior_for(networks, subject.initial, first, subject, FROM_INITIAL, seed, size=len(subject.train))]
    for part in range(1, PARTS):
        seen = subject.train.take(torch.cat(recursive_parts[: part + 1]))
        left = sum(map(len, recursive_parts[part:]))
        before = found[-1].posterior
        found.append(posterior_for(before.centre, before, seen, subject, LATER, seed, size=left))
    return tuple(found)


@evidence(forward=400, requires=can_have_posterior)
def recursion(
    subject: Subject, recursive_posteriors: tuple[Posterior, ...], recursive_parts: tuple[Tensor, ...], seed: int
) -> Recursion:
    """What these posteriors do on the examples that their priors have not seen."""
    risk, shares, draws, examples = np.zeros(0), [], [], []
    for part, found in enumerate(recursive_posteriors):
        left = subject.train.take(torch.cat(recursive_parts[part:]))
        now, independent = errors_of_draws(subject, found.posterior, left, seed, f"recursion {part}")
        if part == 0:
            risk = _shares(now)
        else:
            former = recursive_posteriors[part - 1].posterior
            then, _ = errors_of_draws(subject, former, left, seed, f"recursion {part}, predecessor")
            shares.append(np.stack([_shares(now | ~then), _shares(now), _shares(now & ~then)]))
        draws.append(independent)
        examples.append(len(left))
    sizes = ", ".join(str(len(part)) for part in recursive_parts)
    return Recursion(
        divergence=np.stack([found.divergence.cpu().numpy() for found in recursive_posteriors]),
        price=recursive_posteriors[0].price.cpu().numpy(),
        risk=risk,
        shares=np.stack(shares),
        draws=tuple(draws),
        examples=tuple(examples),
        gamma=GAMMA,
        data={
            "parts": f"{sizes} training examples, drawn with seed {seed}",
            "prior": "the networks before training; then the posterior of the parts before",
            "posterior": "of each step all parts up to its own",
            "bound": "of each step its own part and all later ones, which its prior has not seen",
        },
    )


def _shares(hits: Tensor) -> np.ndarray:
    flat = hits.flatten(1)
    shares: np.ndarray = flat.sum(1).double().cpu().numpy() / flat.shape[1]
    return shares
