"""The private vote: its noise by law, its sums by a loop, what one example can move, members, and that votes help if loud enough."""

import math

import numpy as np
import pytest
import torch
from tests import cases

from heldout.engine.evidence import private_priors
from heldout.engine.evidence.private_priors import PrivatePrior, laplace_counts
from heldout.engine.evidence.resolving import Evidence
from heldout.engine.population import stream


def test_the_noise_has_the_law_that_it_says() -> None:
    """200,000 questions without votes; each share within 5.5 standard errors, failing below 1e-6 in all."""
    count = 200_000
    epsilon = 2 * count * 0.4  # so that P(k) is proportional to exp(-0.4 |k|)
    drawn = laplace_counts(torch.zeros(1, count, 3), epsilon, torch.Generator().manual_seed(0))[0].numpy()
    assert (drawn == np.round(drawn)).all()
    for k in (-3, -1, 0, 1, 2, 5):
        share = math.exp(-0.4 * abs(k)) * math.tanh(0.2)  # (1 - r)/(1 + r) r^|k| with r = e^-0.4
        assert abs((drawn == k).mean() - share) < 5.5 * math.sqrt(share / count)


def test_one_example_moves_all_questions_by_two_at_most_and_members_share_the_noise() -> None:
    votes = torch.ones(2, 5, 30)
    votes[1, :, 0] = -1
    drawn = laplace_counts(votes, 0.5, torch.Generator().manual_seed(3))
    assert (drawn[0] - drawn[1]).tolist() == [2.0] * 5
    scale = 2 * 5 / 0.5
    moved = torch.arange(-50, 51).double()
    law = -moved.abs() / scale
    ratio = (law[2:] - law[:-2]).abs().max() * 5  # of all five at once
    assert ratio <= 0.5 + 1e-12


def prior(case: cases.Case, **changes: object) -> PrivatePrior:
    found: PrivatePrior = Evidence(case.subject(**changes), seed=4)["private_prior"]
    return found


@pytest.mark.parametrize("case", [cases.linear(), cases.mlp()], ids=["linear", "mlp"])
def test_votes_are_counted_as_by_hand(case: cases.Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(private_priors, "PRIVACY", 1e9)  # no noise is left
    monkeypatch.setattr(private_priors, "ROOT_SHARE", 2.0)
    found, (x, y), count = prior(case), case.train, 4  # sqrt(60) / 2
    assert found.directions == count
    own = {name: weight.detach() for name, weight in case.initial.named_parameters()}
    total = {name: torch.zeros_like(weight) for name, weight in own.items()}
    for place in range(count):
        way = {name: weight.square().mean().sqrt() * torch.randn(weight.shape, dtype=torch.float64,
               generator=stream(4, "private direction", place, name)).float() for name, weight in own.items()}  # fmt: skip
        losses = []
        for side in (1, -1):
            moved = {name: own[name] + side * way[name] for name in own}
            outputs = torch.func.functional_call(case.initial, moved, (x,)).double()
            losses.append(torch.nn.functional.cross_entropy(outputs, y, reduction="none"))
        surplus = float((losses[0] < losses[1]).sum() - (losses[0] > losses[1]).sum()) / len(y)
        for name in own:
            total[name] += surplus * way[name]
    for name, weight in own.items():
        torch.testing.assert_close(found.networks.parameters[name][0], weight + total[name], rtol=1e-4, atol=1e-5)


def test_epsilon_falls_with_the_root_of_n_and_noise_is_not_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    found = prior(cases.linear())
    assert (found.epsilon, found.directions) == (2 / math.sqrt(60), 1)
    again = prior(cases.linear())
    weights = [one.networks.parameters["weight"] for one in (found, again)]
    assert torch.equal(*weights)
    monkeypatch.setattr(private_priors, "PRIVACY", 1e-6)
    still = prior(cases.linear()).networks.parameters["weight"][0]
    assert (
        still - cases.linear().initial.weight
    ).abs().max() < 1e-6  # nothing is heard, and the prior stays where it was


def test_a_member_alone_is_as_in_a_population() -> None:
    subject = cases.together([cases.mlp(seed=0), cases.mlp(seed=1)])
    both: PrivatePrior = Evidence(subject, seed=4)["private_prior"]
    alone = prior(cases.mlp(seed=1))
    for name, weight in alone.networks.parameters.items():
        torch.testing.assert_close(weight[0], both.networks.parameters[name][1])
