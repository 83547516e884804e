"""The smallest ball around points whose ball is known, and the layer that is read."""

import numpy as np
import pytest
import torch
from scipy.optimize import minimize
from tests import cases
from torch import nn

from heldout.engine.evidence.output_layer import smallest_ball
from heldout.engine.evidence.resolving import Evidence
from heldout.engine.subject import Subject
from heldout.records import NotApplicable


def test_balls_that_are_known() -> None:
    box = torch.cartesian_prod(*[torch.tensor([-1.0, 1.0])] * 3).unsqueeze(0) + 100
    radius, settled = smallest_ball(box)
    assert settled.all()
    assert 3.0 * (1 - 1e-9) <= radius.item() <= 3.0 * 1.01
    pair, settled = smallest_ball(torch.tensor([[[0.0], [4.0], [1.0]]]))
    assert pair.item() == pytest.approx(4.0, rel=0.01)
    same, settled = smallest_ball(torch.ones(1, 5, 2))
    assert (same.item(), bool(settled)) == (0.0, True)


def test_random_balls_against_a_general_minimiser() -> None:
    points = torch.randn(3, 30, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    radius, settled = smallest_ball(points)
    assert settled.all()
    for member in range(3):
        x = points[member].numpy()
        # smallest s with |x_i - c|^2 <= s for all i
        best = minimize(
            lambda v: v[-1], np.append(x.mean(0), 40.0), method="SLSQP", options={"maxiter": 500},
            constraints={"type": "ineq", "fun": lambda v, x=x: v[-1] - ((x - v[:-1]) ** 2).sum(1)},
        )  # fmt: skip
        assert best.fun * (1 - 1e-6) <= radius[member].item() <= best.fun * 1.0101
        assert smallest_ball(points[member : member + 1])[0].item() == pytest.approx(radius[member].item(), rel=1e-12)


def test_too_few_steps_say_so_and_stay_above() -> None:
    points = torch.randn(1, 200, 10, generator=torch.Generator().manual_seed(1))
    rough, settled = smallest_ball(points, steps=1)
    fine, done = smallest_ball(points)
    assert not settled
    assert done
    assert rough >= fine


def test_the_layer_is_the_last_with_what_it_receives() -> None:
    case = cases.mlp()
    evidence = Evidence(case.subject())
    found = evidence["output_layer"]
    torch.testing.assert_close(found.weights[0], case.network[4].weight.detach().double())  # type: ignore[index]
    hidden = case.network[:4](case.train[0]).detach()  # type: ignore[index]
    assert found.squared_radius.item() == pytest.approx(smallest_ball(hidden.unsqueeze(0))[0].item(), rel=0.011)


def test_one_logit_is_two_of_half_and_opposite_weight() -> None:
    network = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1))
    x = torch.randn(8, 3, generator=torch.Generator().manual_seed(0))
    subject = Subject(network, train=(x, torch.arange(8).float() % 2), loss="binary-cross-entropy")
    weights = Evidence(subject)["output_layer"].weights[0]
    torch.testing.assert_close(weights[1] - weights[0], network[2].weight[0].detach().double())


@pytest.mark.parametrize(("network", "word"), [
    (nn.Sequential(nn.Linear(4, 4), nn.Unflatten(1, (1, 2, 2)), nn.Conv2d(1, 2, 2), nn.Flatten()), "not dense"),
    (nn.Linear(4, 2), "no hidden layer"),
])  # fmt: skip
def test_what_cannot_be_says_why(network: nn.Module, word: str) -> None:
    x = torch.randn(8, 4, generator=torch.Generator().manual_seed(0))
    with pytest.raises(NotApplicable, match=word):
        Evidence(Subject(network, train=(x, torch.arange(8) % 2)))["output_layer"]
