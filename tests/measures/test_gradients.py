"""Gradient noise and coherence in closed form, and against per-example gradients in float64."""

import numpy as np
import pytest
import torch
from tests import cases
from tests.oracles import gradients as oracle
from torch import Tensor, nn

from heldout.catalog import find
from heldout.engine.evidence.reading_units import read_measure
from heldout.engine.evidence.resolving import Evidence
from heldout.engine.subject import Subject
from heldout.measures.gradients import LEVELS, gradient_distribution, gradient_noise, m_coherence, squared_norm
from heldout.records import Status


def moments(gradients: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
    return gradients.norm(dim=1), {"a": gradients.mean(0)[:1], "b": gradients.mean(0)[1:]}


def test_identical_gradients_help_everybody_and_have_no_noise() -> None:
    gradients = torch.ones(7, 3, dtype=torch.float64)
    assert m_coherence(*moments(gradients)).item() == pytest.approx(7)
    assert gradient_noise(*moments(gradients)).item() == pytest.approx(0, abs=1e-12)


def test_orthogonal_gradients_help_one() -> None:
    assert m_coherence(*moments(torch.eye(5, dtype=torch.float64))).item() == pytest.approx(1)


def test_gradients_that_cancel_help_nobody() -> None:
    gradients = torch.tensor([[1.0, 2.0], [-1.0, -2.0]], dtype=torch.float64)
    assert m_coherence(*moments(gradients)).item() == 0
    assert gradient_noise(*moments(gradients)).item() == pytest.approx(5)


def test_noise_is_the_trace_of_the_covariance_with_one_over_n() -> None:
    gradients = torch.randn(11, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    expected = np.trace(np.cov(gradients.numpy().T, bias=True))
    assert gradient_noise(*moments(gradients)).item() == pytest.approx(expected, rel=1e-12)


def test_squared_norm_adds_all_tensors() -> None:
    assert squared_norm({"a": torch.tensor([3.0]), "b": torch.tensor([[4.0]])}).item() == 25


@pytest.mark.parametrize("name", ["mlp", "cnn", "transformer", "token_transformer"])
def test_readings_on_networks(name: str) -> None:
    case = cases.ALL[name]()
    flat = oracle.flat(oracle.per_example(case.network, *case.train))
    evidence = Evidence(case.subject())
    assert read_measure(find("gradient-noise"), evidence).value[0] == pytest.approx(
        oracle.gradient_noise(flat), rel=1e-5
    )
    assert read_measure(find("m-coherence"), evidence).value[0] == pytest.approx(oracle.m_coherence(flat), rel=1e-5)


def test_without_any_gradient_coherence_is_undefined() -> None:
    network = nn.Linear(3, 2, bias=False)
    subject = Subject(network, (torch.zeros(4, 3), torch.zeros(4, dtype=torch.long)))
    assert read_measure(find("m-coherence"), Evidence(subject)).statuses == (Status.UNDEFINED,)


def test_the_distribution_holds_quantiles_and_the_mean() -> None:
    generator = torch.Generator().manual_seed(0)
    gradients = torch.randn(2, 101, 3, dtype=torch.float64, generator=generator)
    table = gradient_distribution(
        gradients.norm(dim=-1), {"a": gradients.mean(1)[:, :2], "b": gradients.mean(1)[:, 2:]}
    )
    for member in range(2):
        own = slice(member * len(LEVELS), (member + 1) * len(LEVELS))
        expected = np.quantile(gradients[member].norm(dim=-1).numpy(), LEVELS, method="nearest")
        np.testing.assert_allclose(table["norm"][own], expected)
        np.testing.assert_allclose(table["mean_norm"][own], gradients[member].mean(0).norm().item())
        assert table["member"][own] == [member] * len(LEVELS)
