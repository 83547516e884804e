"""The adaptive ascent step against autograd in float64, closed forms, and the rescaling that it must follow."""

import copy

import numpy as np
import pytest
import torch
from tests import cases
from tests.oracles import perturbation as oracle
from torch import nn

from heldout.engine.evidence.ascent import ascent_losses, ascent_step
from heldout.engine.evidence.resolving import Evidence
from heldout.engine.subject import Subject
from heldout.engine.subject.losses import NAMED
from heldout.records import Passes

ADAPTIVE = ("mlp", "cnn", "transformer", "lstm", "regression")


@pytest.mark.parametrize("name", ADAPTIVE)
@pytest.mark.filterwarnings("ignore:this network cannot be vectorised")
def test_networks_against_autograd(name: str) -> None:
    make = getattr(cases, name)
    members = [make(seed=seed) for seed in range(2)]
    evidence = Evidence(cases.together(members))
    needs = evidence.subject, evidence["mean_gradient"], evidence["losses"]
    for rho, eta in ((0.5, 0.01), (0.05, 0.3)):
        rise = ascent_losses(*needs, rho=rho, eta=eta).increase
        for index, case in enumerate(members):
            x, y = case.train
            loss = NAMED[case.loss].per_example
            target = y.double() if y.is_floating_point() else y
            expected = oracle.ascended(
                case.network,
                lambda moved, x=x, target=target, loss=loss: loss(moved(x.double()), target).mean(),
                rho,
                eta,
            )
            assert rise[index].item() == pytest.approx(expected, rel=1e-5, abs=1e-6)
    assert torch.equal(evidence["ascent_losses"].increase, ascent_losses(*needs, rho=0.5, eta=0.01).increase)


def linear_regression() -> tuple[Subject, np.ndarray, np.ndarray]:
    """A linear regression without bias at weights of both signs; its Hessian is 2 X'X / N."""
    rng = np.random.default_rng(0)
    x, t = rng.normal(size=(30, 4)), rng.normal(size=30)
    layer = nn.Linear(4, 1, bias=False).double()
    layer.weight.data = torch.tensor([[1.0, -2.0, 0.5, 0.0]], dtype=torch.float64)
    return Subject(layer, train=(torch.tensor(x), torch.tensor(t)), loss="squared-error"), x, t


def test_a_quadratic_loss_is_exact_at_any_radius() -> None:
    subject, x, t = linear_regression()
    evidence = Evidence(subject)
    w = np.array([1.0, -2.0, 0.5, 0.0])
    gradient, hessian = 2 * x.T @ (x @ w - t) / 30, 2 * x.T @ x / 30
    for rho, eta in ((1e-3, 0.01), (0.5, 0.01), (3.0, 0.2)):
        scale = np.abs(w) + eta
        step = rho * scale**2 * gradient / np.linalg.norm(scale * gradient)
        expected = gradient @ step + step @ hessian @ step / 2
        found = ascent_losses(subject, evidence["mean_gradient"], evidence["losses"], rho=rho, eta=eta)
        assert found.increase.item() == pytest.approx(expected, rel=1e-9)
        assert found.length.item() == pytest.approx(np.linalg.norm(scale * gradient), rel=1e-9)


def test_near_a_minimum_along_the_steepest_direction_it_is_half_rho_squared_lambda_max() -> None:
    # Worst case of radius rho at a critical point: (rho^2 / 2) lambda_max(diag(c) H diag(c)) (Andriushchenko et al. 2023).
    subject, x, t = linear_regression()
    best = np.linalg.lstsq(x, t, rcond=None)[0]
    subject.population.parameters["weight"][0] = torch.tensor(best)
    losses = Evidence(subject)["losses"]
    scaled = np.abs(best)[:, None] * (2 * x.T @ x / 30) * np.abs(best)
    values, vectors = np.linalg.eigh(scaled)
    vanishing = {"weight": torch.tensor(1e-12 * vectors[:, -1] / np.abs(best)).reshape(1, 1, 4)}
    for rho in (0.01, 0.5):
        found = ascent_losses(subject, vanishing, losses, rho=rho, eta=0.0)
        assert found.increase.item() == pytest.approx(rho**2 / 2 * values[-1], rel=1e-8)


def test_a_logistic_regression_at_small_radius() -> None:
    # First order rho ||T g||, second order rho^2/2 s' H s with H = X' diag(p (1 - p)) X / N and unit step s.
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(50, 3)), rng.integers(0, 2, 50)
    layer = nn.Linear(3, 1, bias=False).double()
    w = layer.weight.data.numpy()[0]
    subject = Subject(layer, train=(torch.tensor(x), torch.tensor(y)), loss="binary-cross-entropy")
    evidence = Evidence(subject)
    p = 1 / (1 + np.exp(-x @ w))
    gradient, hessian = x.T @ (p - y) / 50, (x.T * (p * (1 - p))) @ x / 50
    scale = np.abs(w) + 0.01
    unit = scale**2 * gradient / np.linalg.norm(scale * gradient)
    for rho in (1e-4, 1e-3):
        rise = ascent_losses(subject, evidence["mean_gradient"], evidence["losses"], rho=rho).increase.item()
        assert rise == pytest.approx(rho * np.linalg.norm(scale * gradient), rel=10 * rho)
        second = rise - rho * np.linalg.norm(scale * gradient)
        assert second == pytest.approx(rho**2 / 2 * unit @ hessian @ unit, rel=50 * rho, abs=1e-14)


@pytest.mark.parametrize("factor", [0.01, 7.0])
def test_layers_of_another_scale(factor: float) -> None:
    case = cases.mlp()
    network = copy.deepcopy(case.network).double()
    scaled = copy.deepcopy(network)
    scaled[0].weight.data *= factor
    scaled[0].bias.data *= factor
    scaled[2].weight.data /= factor
    subject = case.subject(network=[network, scaled], initial=None)
    evidence = Evidence(subject)
    needs = subject, evidence["mean_gradient"], evidence["losses"]
    first, second = ascent_losses(*needs, rho=0.5, eta=0.0).increase.tolist()
    assert first == pytest.approx(second, rel=1e-9)
    first, second = ascent_losses(*needs, rho=0.5, eta=0.1).increase.tolist()
    assert first != pytest.approx(second, rel=1e-4)  # eta is what breaks it


def test_no_step_where_the_gradient_is_zero() -> None:
    weights = {"w": torch.tensor([[1.0, -2.0], [1.0, -2.0]])}
    step, length = ascent_step(weights, {"w": torch.tensor([[0.0, 0.0], [3.0, 0.0]])}, rho=0.5, eta=0.0)
    assert step["w"].tolist() == [[0.0, 0.0], [0.5, 0.0]]
    assert length.tolist() == [0.0, 3.0]


def test_one_forward_sweep() -> None:
    evidence = Evidence(cases.mlp().subject())
    evidence["mean_gradient"], evidence["losses"]
    before = evidence.spent
    evidence["ascent_losses"]
    assert evidence.spent == before + Passes(forward=1.0)
