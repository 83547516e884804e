"""Quadratures of spectra: all sign vectors together give any trace of a function, however the work is cut."""

import itertools

import numpy as np
import pytest
import torch
from tests import cases
from tests.oracles import curvature as oracle

from heldout.engine.evidence import curvature_spectra as module
from heldout.engine.evidence.curvature_spectra import quadrature, two_rules
from heldout.engine.evidence.resolving import Evidence


def test_all_sign_vectors_give_the_trace_of_a_function_exactly() -> None:
    root = np.random.default_rng(0).normal(size=(6, 4))
    matrix = root @ root.T
    signs = torch.tensor(list(itertools.product([-1.0, 1.0], repeat=6)), dtype=torch.float64).unsqueeze(0)
    values, weights, outer, outer_weights = two_rules(lambda v: v @ torch.tensor(matrix), signs, 6, 1e-15)
    for alpha in (0.1, 1.0, 10.0):
        expected = oracle.effective_dimensionality(matrix, 1, alpha)
        for nodes, shares in ((values, weights), (outer, outer_weights)):
            number = 6 * (shares * nodes / (nodes + alpha)).sum(-1).mean()
            assert number.item() == pytest.approx(expected, rel=1e-6)
    few, few_weights, low, low_weights = two_rules(lambda v: v @ torch.tensor(matrix), signs, 2, 1e-15)
    above = 6 * (few_weights * few / (few + 1)).sum(-1).mean()
    below = 6 * (low_weights * low / (low + 1)).sum(-1).mean()
    assert below < oracle.effective_dimensionality(matrix, 1, 1.0) < above


@pytest.mark.parametrize("kind", ["hessian", "gauss-newton"])
def test_moments_are_those_of_the_dense_matrix(kind: str) -> None:
    case = cases.mlp()
    name = "hessian_quadrature" if kind == "hessian" else "ggn_quadrature"
    found = Evidence(case.subject())[name]
    signs = module.probes(case.subject().population, 1, 6, 0)[0].numpy()
    dense = (oracle.hessian if kind == "hessian" else oracle.gauss_newton)(case.network, *case.train)
    assert (found.size, found.examples) == (387, 60)
    for degree, power in ((0, np.eye(387)), (1, dense), (2, dense @ dense), (3, dense @ dense @ dense)):
        expected = (signs * (signs @ power)).sum(1) / 387
        ours = (found.weights[0] * found.values[0] ** degree).sum(-1).numpy()
        np.testing.assert_allclose(ours, expected, rtol=1e-4, atol=1e-7)


def test_it_does_not_matter_how_the_work_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    subject = cases.together([cases.mlp(seed=seed) for seed in range(2)])
    whole = quadrature(subject, 0, "gauss-newton", draws=3, nodes=10)
    monkeypatch.setattr(module, "BASIS_BYTES", 2 * 10 * 387 * 8)  # two vectors of one member
    cut = quadrature(subject, 0, "gauss-newton", draws=3, nodes=10)
    for degree in (1, 2, 3):
        moments = [(q.weights * q.values**degree).sum(-1) for q in (whole, cut)]
        torch.testing.assert_close(*moments, rtol=1e-4, atol=1e-8)
    fewer = quadrature(subject, 0, "gauss-newton", draws=2, nodes=10)
    torch.testing.assert_close(
        (fewer.weights * fewer.values).sum(-1), (whole.weights * whole.values).sum(-1)[:, :2], rtol=1e-4, atol=1e-8
    )
