"""Networks trained to err where a coin says so: how far the class can follow signs, as far as training finds it."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from heldout.catalog import evidence
from heldout.engine.evidence.retraining import alone, can_train_again, errors_of, of_member, trained_together
from heldout.engine.population import stream
from heldout.engine.subject import Examples, Subject
from heldout.engine.training import Recipe

DRAWS = 8  # of signs; each is a training


@dataclass(frozen=True, slots=True, eq=False)
class FittedSigns:
    r"""What was reached for every draw of signs.

    Attributes:
        reached: :math:`\frac1n \sum_i \sigma_i \ell(h, z_i)` of the network trained for it, ``[M, T]``; at most 1/2 on average.
        train_error: Of the networks under study, ``[M]``.
        examples: N.
    """

    reached: NDArray[np.float64]
    train_error: NDArray[np.float64]
    examples: int


@evidence(forward=60, backward=60, requires=can_train_again)
def fitted_signs(subject: Subject, recipe: Recipe, seed: int) -> FittedSigns:
    """Every network trained again to be right where the sign is -1 and wrong where it is +1, for several draws of signs."""
    assert subject.initial is not None  # can_train_again was asked first
    assert subject.classes is not None
    reached, errors = [], []
    for member in range(len(subject.population)):
        own = of_member(subject.train, member)
        signs = 2 * torch.randint(0, 2, (DRAWS, len(own)), generator=stream(seed, "signs", member)) - 1
        shift = torch.randint(1, subject.classes, signs.shape, generator=stream(seed, "other labels", member))
        wanted = torch.where(signs > 0, (own.y.cpu().long() + shift) % subject.classes, own.y.cpu().long()).to(own.y)
        sets = Examples(own.take(slice(None)).x, wanted, y_per_member=True)
        fitted = trained_together(subject.initial, member, sets, alone(recipe, member, len(own)), seed=seed)
        reached.append((signs.double() * errors_of(subject, fitted, own)).mean(1))
        errors.append(errors_of(subject, subject.population, own)[member].mean())
    return FittedSigns(torch.stack(reached).numpy(), torch.stack(errors).numpy(), len(subject.train))
