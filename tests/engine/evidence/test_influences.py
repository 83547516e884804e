"""Influences against the hat matrix of ridge regression, exact retraining of a logistic regression, and dense matrices."""

import numpy as np
import pytest
import torch
from scipy.optimize import minimize
from tests import cases
from tests.oracles import curvature as oracle
from torch import Tensor, nn

from heldout.engine.evidence.influences import DAMPING, DRAWN, dotted, gradients, solved
from heldout.engine.evidence.resolving import Evidence
from heldout.engine.subject import Subject
from heldout.engine.subject.losses import NAMED
from heldout.records import NotApplicable

N, F, DECAY = 40, 5, 0.3


def data(seed: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(N, F, generator=generator, dtype=torch.float64)
    return x, x @ torch.arange(1.0, F + 1).double() + torch.randn(N, generator=generator, dtype=torch.float64)


def linear(weights: np.ndarray) -> nn.Linear:
    network = nn.Linear(F, 1, bias=False).double()
    with torch.no_grad():
        network.weight.copy_(torch.tensor(weights).reshape(1, F))
    return network


def test_ridge_regression_left_out_exactly() -> None:
    (x, y), (x_test, y_test) = data(0), data(1)
    gram = (2 * x.T @ x / N + DECAY * torch.eye(F).double()).numpy()  # of mean squared error + decay |w|^2 / 2
    w = np.linalg.solve(gram, (2 * x.T @ y / N).numpy())
    subject = Subject(linear(w), train=(x, y), test=(x_test, y_test), loss="squared-error")
    damping = torch.tensor([DECAY], dtype=torch.float64)
    own = gradients(subject)
    found = solved(subject, own, damping, tolerance=1e-12)
    assert found.settled.all()
    influence = ((found.solution * own).sum(-1) / N).numpy()[0]
    residual = (y - x @ torch.tensor(w)).numpy()
    hat = 2 / N * np.einsum("ij,jk,ik->i", x.numpy(), np.linalg.inv(gram), x.numpy())
    np.testing.assert_allclose(influence, 2 * hat * residual**2, rtol=1e-9)
    # left out and fitted again: the hat matrix's closed form says what the first order misses
    for i in range(N):
        keep = np.arange(N) != i
        left = gram - 2 / N * np.outer(x[i], x[i])
        again = np.linalg.solve(left, (2 * x[keep].T @ y[keep] / N).numpy())
        exact = float((y[i] - x[i] @ torch.tensor(again)) ** 2) - residual[i] ** 2
        h = influence[i] / (2 * residual[i] ** 2)
        assert exact == pytest.approx(residual[i] ** 2 * ((1 - h) ** -2 - 1), rel=1e-7)


def test_logistic_regression_trained_again_without_each() -> None:
    x, score = data(2)
    y = (score + 4 * torch.sin(torch.arange(N)) > 0).double()
    x_test, score_test = data(3)
    y_test = (score_test > 0).double()
    features, labels = x.numpy(), y.numpy()

    def fitted(keep: np.ndarray) -> np.ndarray:
        def objective(w: np.ndarray) -> tuple[float, np.ndarray]:
            z = features[keep] @ w
            loss = (np.logaddexp(0, z) - labels[keep] * z).sum() / N + DECAY / 2 * w @ w
            return loss, features[keep].T @ (1 / (1 + np.exp(-z)) - labels[keep]) / N + DECAY * w

        return minimize(objective, np.zeros(F), jac=True, method="BFGS", options={"gtol": 1e-10}).x

    def test_loss(w: np.ndarray) -> float:
        z = x_test.numpy() @ w
        return float((np.logaddexp(0, z) - y_test.numpy() * z).mean())

    w = fitted(np.ones(N, dtype=bool))
    subject = Subject(linear(w), train=(x, y), test=(x_test, y_test), loss="binary-cross-entropy")
    of_test = Subject(linear(w), train=(x_test, y_test), loss="binary-cross-entropy")
    right = gradients(of_test).mean(1, keepdim=True)
    found = solved(subject, right, torch.tensor([DECAY], dtype=torch.float64), tolerance=1e-12)
    influence = dotted(subject, found.solution.squeeze(1))[0].numpy() / N
    exact = np.array([test_loss(fitted(np.arange(N) != i)) - test_loss(w) for i in range(N)])
    assert np.corrcoef(influence, exact)[0, 1] > 0.995
    np.testing.assert_allclose(influence, exact, atol=0.1 * np.abs(exact).max())
    assert (np.sign(influence) == np.sign(exact)).mean() > 0.9


@pytest.mark.parametrize("name", ["mlp", "regression"])
def test_networks_against_dense_matrices(name: str) -> None:
    members = [getattr(cases, name)(seed=seed) for seed in (1, 0)]
    subject = cases.together(members)
    source = Evidence(subject, seed=3)
    on_test, on_self = source["test_influences"], source["self_influences"]
    assert on_self.values.shape == (2, DRAWN)
    largest = source["ggn_curvature"].largest
    for index, case in enumerate(members):
        x, y = case.train
        matrix = oracle.gauss_newton(case.network, x, y, case.loss)
        inverse = np.linalg.inv(matrix + DAMPING * float(largest[index]) * np.eye(len(matrix)))
        own, tested = (oracle_gradients(case, pair) for pair in (case.train, case.test))
        expected = own @ inverse @ tested.mean(0) / len(own)
        np.testing.assert_allclose(on_test.values[index], expected, atol=5e-3 * np.abs(expected).max())
        few = own[on_self.examples[index].numpy()]
        expected = np.einsum("ip,pq,iq->i", few, inverse, few) / len(own)
        np.testing.assert_allclose(on_self.values[index], expected, rtol=5e-3, atol=1e-7)
    assert on_self.settled.all()
    assert on_test.settled.all()


def oracle_gradients(case: cases.Case, pair: cases.Pair) -> np.ndarray:
    """Every example's gradient in float64, one after the other."""
    rows = []
    for i in range(len(pair[1])):
        precise, z, target = oracle.exact(case.network, pair[0][i : i + 1], pair[1][i : i + 1])
        parameters: list[Tensor] = list(precise.parameters())
        with torch.enable_grad():
            loss = NAMED[case.loss].per_example(z, target).sum()
            rows.append(oracle.flat(torch.autograd.grad(loss, parameters, allow_unused=True), parameters))
    return np.stack(rows)


def test_a_search_cut_short_says_so() -> None:
    subject = cases.mlp().subject()
    right = gradients(subject)[:, :3]
    damping = torch.tensor([1e-6], dtype=torch.float64)
    assert not solved(subject, right, damping, steps=2).settled.any()


def test_without_test_data_there_is_no_influence_on_it() -> None:
    case = cases.mlp()
    with pytest.raises(NotApplicable, match="no test data"):
        Evidence(Subject(case.network, train=case.train))["test_influences"]
