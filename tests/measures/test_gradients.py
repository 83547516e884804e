"""Gradient noise and coherence in closed form, and against per-example gradients in float64."""

import numpy as np
import pytest
import torch
from tests import cases
from tests.oracles import gradients as oracle
from torch import Tensor, nn

from heldout.catalog import find
from heldout.engine.evidence.reading_units import read_measure, read_profile
from heldout.engine.evidence.resolving import Evidence
from heldout.engine.subject import Subject
from heldout.measures.gradients import (
    LEVELS,
    gradient_distribution,
    gradient_noise,
    m_coherence,
    one_step_generalization_ratio,
    squared_norm,
)
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


def test_one_step_generalizes_as_far_as_an_independent_sample_agrees() -> None:
    # The mean product of two different examples' gradients is an unbiased squared gradient of the population.
    gradients = torch.randn(9, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(1)) + 0.5
    products = gradients @ gradients.T
    apart = (products.sum() - products.diagonal().sum()) / (9 * 8)
    expected = (apart / gradients.mean(0).square().sum()).item()
    assert one_step_generalization_ratio(*moments(gradients)).item() == pytest.approx(expected, rel=1e-12)
    coherence = m_coherence(*moments(gradients)).item()
    assert expected == pytest.approx((1 - 1 / coherence) * 9 / 8, rel=1e-12)


def test_one_step_on_examples_that_agree_and_on_none() -> None:
    assert one_step_generalization_ratio(*moments(torch.ones(5, 3).double())).item() == pytest.approx(1)
    assert one_step_generalization_ratio(*moments(torch.eye(4).double())).item() == pytest.approx(0)
    assert one_step_generalization_ratio(*moments(torch.ones(1, 3).double())).isnan()
    assert one_step_generalization_ratio(*moments(torch.zeros(4, 3).double())).isnan()


def test_gradient_diversity_is_the_inverse_of_coherence() -> None:
    gradients = torch.randn(6, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    diversity = gradients.square().sum() / gradients.sum(0).square().sum()  # Yin et al. 2018, definition 1
    assert m_coherence(*moments(gradients)).item() == pytest.approx(1 / diversity.item(), rel=1e-12)


@pytest.mark.parametrize("name", ["cnn", "transformer"])
def test_coherence_layer_by_layer(name: str) -> None:
    members = [cases.ALL[name](seed) for seed in (0, 1)]
    rows = read_profile(find("layer-coherence"), Evidence(cases.together(members))).rows
    for member, case in enumerate(members):
        gradients = oracle.per_example(case.network, *case.train)
        owners = list(dict.fromkeys(parameter.rpartition(".")[0] for parameter in gradients))
        own = {row["layer"]: row for row in rows if row["member"] == member}
        assert set(own) == set(owners)
        total = oracle.flat(gradients).square().sum()
        for owner in owners:
            flat = oracle.flat({p: g for p, g in gradients.items() if p.rpartition(".")[0] == owner})
            assert own[owner]["coherence"] == pytest.approx(oracle.m_coherence(flat), rel=1e-4)
            assert own[owner]["share"] == pytest.approx((flat.square().sum() / total).item(), rel=1e-4)
