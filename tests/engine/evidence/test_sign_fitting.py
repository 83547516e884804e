"""Signs fitted by training: against the enumeration of a class that is small enough, memorizers, chance, determinism."""

import numpy as np
import torch
from tests import cases
from torch import nn

from heldout.engine.evidence.resolving import Evidence
from heldout.engine.population import stream
from heldout.engine.subject import Subject
from heldout.engine.training import Recipe


def line(n: int = 8) -> Subject:
    """Two scores of one input without biases: h(x) is the sign of w x, so that all members are right or wrong together."""
    torch.manual_seed(0)
    x = torch.linspace(0.5, 1.5, n)[:, None]
    network = nn.Linear(1, 2, bias=False)
    return Subject(network, (x, torch.arange(n) % 2), initial=nn.Linear(1, 2, bias=False))


def test_a_class_of_two_rules_reaches_what_enumeration_says() -> None:
    subject, recipe = line(), Recipe(optimizer="adam", lr=0.1, batch_size=8, steps=300)
    found = Evidence(subject, recipe=recipe, seed=3)["fitted_signs"]
    signs = 2 * torch.randint(0, 2, (8, 8), generator=stream(3, "signs", 0)).double() - 1
    zero, one = (subject.train.y != 0).double(), (subject.train.y != 1).double()  # errors of "always 0" and "always 1"
    best = torch.maximum((signs * zero).mean(1), (signs * one).mean(1))
    assert found.reached.shape == (1, 8)
    assert (found.reached[0] <= best.numpy() + 1e-9).all()
    assert np.isclose(found.reached[0], best.numpy()).sum() >= 6  # cross-entropy finds the rule but for near ties


def test_a_memorizer_reaches_the_most_that_signs_allow() -> None:
    subject = cases.memorizer().subject()
    recipe = Recipe(optimizer="adam", lr=5e-3, batch_size=20, steps=600)
    found = Evidence(subject, recipe=recipe, seed=0)["fitted_signs"]
    signs = 2 * torch.randint(0, 2, (8, len(subject.train)), generator=stream(0, "signs", 0)) - 1
    most = (signs > 0).double().mean(1).numpy()  # wrong exactly where the sign is +1
    assert (found.reached[0] <= most + 1e-9).all()
    assert (found.reached[0] > 0.8 * most).mean() > 0.7


def test_the_same_seed_gives_the_same_numbers() -> None:
    recipe = Recipe(optimizer="sgd", lr=0.05, batch_size=10, steps=20)
    first, again, other = (
        Evidence(cases.mlp().subject(), recipe=recipe, seed=s)["fitted_signs"].reached for s in (1, 1, 2)
    )
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
