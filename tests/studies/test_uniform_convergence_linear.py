"""The failure of uniform convergence: the network by gradient descent as written in the paper, and the verdicts."""

import numpy as np
import pytest
import torch

import heldout
from heldout.studies.uniform_convergence_linear import uniform_convergence_linear


def test_it_is_one_step_of_gradient_descent_on_whole_inputs() -> None:
    examples, dimensions = 12, 300
    rows = uniform_convergence_linear(dimensions=dimensions, examples=examples, members=1, seed=3)
    draw = np.random.default_rng([3, dimensions, 0])
    y = torch.from_numpy(draw.choice([-1.0, 1.0], examples))
    noise = torch.from_numpy(
        np.sqrt(32 / dimensions) * draw.standard_normal((examples, dimensions), dtype=np.float32)
    ).double()
    u = torch.zeros(5, dtype=torch.float64)
    u[2] = examples**-0.5
    x = torch.cat([2 * y[:, None] * u, noise], dim=1)
    w = torch.zeros(5 + dimensions, dtype=torch.float64, requires_grad=True)
    (1 - y * (x @ w)).sum().backward()
    learned = -w.grad  # type: ignore[operator]
    twin = torch.cat([2 * y[:, None] * u, -noise], dim=1)
    assert rows["train_error"][0] == pytest.approx(float((y * (x @ learned) <= 0).double().mean()))
    assert rows["twin_error"][0] == pytest.approx(float((y * (twin @ learned) <= 0).double().mean()))
    fresh = np.sqrt(32 / dimensions) * np.random.default_rng(0).standard_normal((4000, dimensions))
    margin = 4 + fresh @ learned[5:].numpy()
    assert rows["test_error"][0] == pytest.approx((margin <= 0).mean(), abs=0.06)


def test_the_smoke_run_reproduces_every_claim_and_without_many_dimensions_the_network_does_not_generalize() -> None:
    assert [claim["verdict"] for claim in heldout.study("uniform-convergence-linear").claims] == ["reproduced"] * 3
    few = heldout.study("uniform-convergence-linear", dimensions=[100], members=5)
    assert few.claims[1]["verdict"] != "reproduced"
