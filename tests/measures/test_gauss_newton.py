"""Gauss-Newton readings: where they agree with the Hessian, effective dimensionality in closed form, the empirical Fisher."""

import numpy as np
import pytest
import torch
from tests import cases
from tests.oracles import curvature as oracle
from tests.oracles import gradients
from torch import nn

from heldout.catalog import find
from heldout.engine.evidence.curvature_spectra import Quadrature, quadrature
from heldout.engine.evidence.reading_units import read_measure
from heldout.engine.evidence.resolving import Evidence
from heldout.engine.subject import Subject
from heldout.measures.gauss_newton import effective_dimensionality


def regression() -> tuple[Subject, np.ndarray]:
    rng = np.random.default_rng(2)
    x = rng.normal(size=(50, 7)) * np.geomspace(2, 0.05, 7)
    subject = Subject(
        nn.Linear(7, 1).double(), (torch.tensor(x), torch.tensor(rng.normal(size=50))), loss="squared-error"
    )
    return subject, oracle.of_linear_regression(x)


@pytest.mark.parametrize("alpha", [0.1, 1.0, 30.0])
def test_effective_dimensionality_of_a_linear_regression(alpha: float) -> None:
    subject, matrix = regression()
    found = quadrature(subject, 0, "gauss-newton", draws=200)
    one = Quadrature(*(part[0] for part in found[:4]), found.size, found.examples)
    number = effective_dimensionality(one, alpha=alpha)
    expected = oracle.effective_dimensionality(matrix, 50, alpha)
    assert number.converged.item()
    # Beyond 5 standard errors with a chance below 1e-6; the seed is fixed.
    assert abs(number.value.item() - expected) < 5 * number.standard_error.item()
    assert number.standard_error.item() < 0.05 * expected


def test_effective_dimensionality_of_networks() -> None:
    members = [cases.mlp(seed=seed) for seed in range(2)]
    reading = read_measure(find("effective-dimensionality"), Evidence(cases.together(members)))
    for index, case in enumerate(members):
        expected = oracle.effective_dimensionality(oracle.gauss_newton(case.network, *case.train), 60, 1.0)
        assert abs(reading.value[index] - expected) < 6 * reading.standard_error[index]
        assert reading.standard_error[index] < 0.5 * expected


def test_it_is_withdrawn_where_the_two_quadratures_disagree() -> None:
    subject, _ = regression()
    few = quadrature(subject, 0, "gauss-newton", draws=200, nodes=2)
    one = Quadrature(*(part[0] for part in few[:4]), few.size, few.examples)
    assert not effective_dimensionality(one, alpha=0.1).converged.item()


def test_it_counts_directions_between_none_and_all() -> None:
    nodes, weights = torch.tensor([[0.0, 0.5, 8.0]]).expand(3, 3), torch.tensor([[0.5, 0.25, 0.25]]).expand(3, 3)
    spectrum = Quadrature(nodes, weights, nodes, weights, size=4, examples=2)
    # Eigenvalues of the sum: 0, 0, 1, 16 against 1: 0 + 0 + 1/2 + 16/17.
    assert effective_dimensionality(spectrum).value.item() == pytest.approx(0.5 + 16 / 17)
    assert effective_dimensionality(spectrum, alpha=1e9).value.item() == pytest.approx(0, abs=1e-6)
    assert effective_dimensionality(spectrum, alpha=1e-9).value.item() == pytest.approx(2)


def test_the_hessian_of_a_linear_model_is_its_gauss_newton_matrix() -> None:
    evidence = Evidence(cases.linear().subject())
    for pair in (("ggn-trace", "hessian-trace"), ("adaptive-ggn-top-eigenvalue", "adaptive-hessian-top-eigenvalue")):
        ours, theirs = (read_measure(find(name), evidence).value.item() for name in pair)
        assert ours == pytest.approx(theirs, rel=1e-5)


def test_the_empirical_fisher_matrix_has_the_squared_gradients_on_its_trace() -> None:
    case = cases.mlp()
    reading = read_measure(find("empirical-fisher-trace"), Evidence(case.subject()))
    each = gradients.flat(gradients.per_example(case.network, *case.train))
    assert reading.value.item() == pytest.approx(each.square().sum(1).mean().item(), rel=1e-5)
