"""The kernel's hypothesis space against its formulas written out, and against functions that are drawn."""

import math

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist, pdist
from tests import cases

from heldout.engine.evidence.kernel_posteriors import NOISE, conditioned
from heldout.engine.evidence.resolving import Evidence
from heldout.engine.numerics.quadratic_forms import log_lower_tail
from heldout.engine.subject import Subject
from heldout.records import NotApplicable


def written_out(x: np.ndarray, y: np.ndarray, x_test: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    length = np.sort(pdist(x, "sqeuclidean"))[(len(x) * (len(x) - 1) // 2 - 1) // 2]  # torch's median is the lower one
    seen, beside, unseen = (
        np.exp(-cdist(a, b, "sqeuclidean") / 2 / length) for a, b in ((x, x), (x_test, x), (x_test, x_test))
    )
    inverse = np.linalg.inv(seen + NOISE * np.eye(len(x)))
    return beside @ inverse @ y, unseen - beside @ inverse @ beside.T, float((y * (inverse @ y)).mean())


@pytest.mark.parametrize("name", ["mlp", "regression"])
def test_the_form_is_the_error_of_drawn_functions(name: str) -> None:
    case = getattr(cases, name)()
    form = Evidence(case.subject())["test_kernel_posterior"]
    (x, y), (x_test, y_test) = ((a.double().numpy(), b.double().numpy()) for a, b in (case.train, case.test))
    if name == "mlp":
        y, y_test = (np.eye(3)[part.astype(int)] - 1 / 3 for part in (y, y_test))
    else:
        y, y_test = y - y.mean(0), y_test - y.mean(0)
    mean, covariance, height = written_out(x, y, x_test)
    covariance = covariance * height
    # mean and variance of the form: tr S + |mu|^2, 2 tr S^2 + 4 mu' S mu
    apart, outputs, entries = mean - y_test, y.shape[1], y_test.size
    assert form.outputs == outputs
    middle = outputs * form.variances.sum() + form.offsets.sum()
    assert middle.item() == pytest.approx((outputs * np.trace(covariance) + np.square(apart).sum()) / entries, rel=1e-6)
    spread = 2 * outputs * form.variances.square().sum() + 4 * (form.variances * form.offsets).sum()
    expected = (
        2 * outputs * np.square(covariance).sum() + 4 * np.einsum("to,ts,so->", apart, covariance, apart)
    ) / entries**2
    assert spread.item() == pytest.approx(expected, rel=1e-6)
    generator, draws = np.random.default_rng(0), 4000
    root = np.linalg.cholesky(covariance + 1e-9 * np.eye(len(covariance)))
    errors = np.square(root @ generator.standard_normal((draws, len(root), outputs)) + apart).mean((1, 2))
    for share in (0.02, 0.3):
        level = np.quantile(errors, share)
        found = log_lower_tail(level, form.variances[0], form.offsets[0], repeats=outputs)
        assert found.settled
        assert abs(math.exp(float(found.log_probability)) - share) < 5 * (share * (1 - share) / draws) ** 0.5  # 6e-7


def test_the_networks_own_error_is_on_the_same_examples() -> None:
    case = cases.mlp()
    with torch.no_grad():
        said = case.network(case.test[0]).double().softmax(-1)
    own = (said - torch.nn.functional.one_hot(case.test[1], 3)).square().mean()
    assert Evidence(case.subject())["test_kernel_posterior"].own_error.item() == pytest.approx(own.item(), rel=1e-6)


def test_members_with_data_of_their_own_are_conditioned_on_them() -> None:
    generator = torch.Generator().manual_seed(0)
    x, y = torch.randn(2, 9, 2, generator=generator).double(), torch.randn(2, 9, 1, generator=generator).double()
    x_test = torch.randn(2, 4, 2, generator=generator).double()
    mean, covariance, height = conditioned(x, y, x_test)
    for member in range(2):
        expected = written_out(x[member].numpy(), y[member].numpy(), x_test[member].numpy())
        np.testing.assert_allclose(mean[member], expected[0], rtol=1e-6, atol=1e-9)
        np.testing.assert_allclose(covariance[member], expected[1], rtol=1e-6, atol=1e-9)
        assert height[member].item() == pytest.approx(expected[2], rel=1e-6)


def test_words_have_no_kernel_and_without_test_data_there_is_no_error() -> None:
    with pytest.raises(NotApplicable, match="not real numbers"):
        Evidence(cases.token_transformer().subject())["test_kernel_posterior"]
    case = cases.mlp()
    with pytest.raises(NotApplicable, match="no test data"):
        Evidence(Subject(case.network, train=case.train))["test_kernel_posterior"]
