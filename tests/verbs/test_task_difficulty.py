"""The verb on networks whose errors are known: random functions that fit because there is nothing to fit."""

import math

import numpy as np
import pytest
import torch
from tests import cases
from torch import nn

from heldout.engine.subject import Subject
from heldout.records import Refusal
from heldout.verbs import task_difficulty as verb
from heldout.verbs.task_difficulty import task_difficulty


def random_lines(count: int) -> Subject:
    """Lines through the origin with slopes z: at x = 0 all fit, at x = 1 the squared error is z^2."""
    slopes = torch.randn(count, generator=torch.Generator().manual_seed(0))
    networks = []
    for slope in slopes:
        network = nn.Linear(1, 1, bias=False)
        with torch.no_grad():
            network.weight.fill_(float(slope))
        networks.append(network)
    still = (torch.zeros(4, 1), torch.zeros(4, 1))
    return Subject(networks, train=still, test=(torch.ones(1, 1), torch.zeros(1, 1)), loss="squared-error")


def test_errors_that_are_a_chi_square_of_one_degree() -> None:
    found = task_difficulty(random_lines(100), target=0.01, fits=0.0)
    truth = -math.log(math.erf(math.sqrt(0.01 / 2)))
    assert len(found.test_errors) == found.networks == 100
    assert found.network_nats is not None
    assert abs(found.network_nats - truth) < 5 * found.standard_error  # 6e-7
    assert found.seen == pytest.approx(math.log(100))
    assert found.extrapolated == 0.0
    assert (
        found.kernel_nats == 0.0
    )  # targets that are zero throughout leave the kernel no height: every function is exact


def test_classes_and_the_kernel() -> None:
    members = [cases.mlp(seed=seed) for seed in range(6)]
    subject = cases.together(members)
    found = task_difficulty(subject, target=0.05, fits=1.0, seed=2)
    x, y = members[0].test
    with torch.no_grad():
        answers = members[0].network(x).double().softmax(-1).numpy()
    assert found.test_errors[0] == pytest.approx(np.square(answers - np.eye(3)[y.numpy()]).mean(), rel=1e-6)
    assert found.kernel_nats is not None
    harder = task_difficulty(subject, target=0.02, fits=1.0, seed=2)
    assert harder.kernel_nats is not None
    assert harder.kernel_nats > found.kernel_nats
    assert harder.extrapolated > 0 or harder.network_nats is None


def test_what_cannot_be_answered_is_refused() -> None:
    one = cases.mlp()
    with pytest.raises(Refusal, match="no test data"):
        task_difficulty(Subject(one.network, train=one.train), target=0.1)
    with pytest.raises(Refusal, match="target was 0"):
        task_difficulty(one.subject(), target=0.0)
    with pytest.raises(Refusal, match="of 1 networks fit the training data"):
        task_difficulty(one.subject(), target=0.1)
    with pytest.raises(Refusal, match="fits was left out"):
        task_difficulty(cases.regression().subject(), target=0.1)


def test_too_few_networks_say_nothing_of_a_far_tail(monkeypatch: pytest.MonkeyPatch) -> None:
    subject = random_lines(5)
    monkeypatch.setattr(verb, "MOST_ERROR", 0.01)
    found = task_difficulty(subject, target=1e-9, fits=0.0)
    assert found.network_nats is None
    assert "train more networks" in found.reasons[0]
