"""Lanczos against dense eigenvalues."""

import pytest
import torch

from heldout.engine.sampling.lanczos import lanczos


def symmetric(size: int, seed: int) -> torch.Tensor:
    a = torch.randn(size, size, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    return a + a.T


def test_all_steps_give_the_whole_spectrum_of_every_operator() -> None:
    both = torch.stack([symmetric(12, 0), symmetric(12, 1)])
    start = torch.ones(2, 12, dtype=torch.float64)
    found = lanczos(lambda v: torch.einsum("rij,rj->ri", both, v), start, 12)
    assert torch.allclose(found.values, torch.linalg.eigvalsh(both), atol=1e-9)
    rebuilt = torch.einsum("rpm,rm,rqm->rpq", found.vectors, found.values, found.vectors)
    assert torch.allclose(rebuilt, both, atol=1e-8)
    assert torch.allclose(found.weights.sum(1), torch.ones(2, dtype=torch.float64))


def test_few_steps_give_the_ends_and_a_quadrature() -> None:
    a = torch.diag(
        torch.cat([torch.linspace(0, 1, 199, dtype=torch.float64), torch.tensor([50.0], dtype=torch.float64)])
    )
    start = torch.ones(1, 200, dtype=torch.float64)
    found = lanczos(lambda v: v @ a, start, 15)
    assert abs(float(found.values.max()) - 50) < 1e-9
    # a Gauss quadrature of 15 nodes integrates polynomials of degree 29 exactly: here the third moment
    assert torch.allclose((found.weights * found.values**3).sum(), a.diag().pow(3).mean())


def test_an_exhausted_space_adds_zeros() -> None:
    found = lanczos(lambda v: 2.0 * v, torch.ones(1, 5, dtype=torch.float64), 3)
    assert found.values[0].numpy() == pytest.approx([0.0, 0.0, 2.0])
    assert found.weights[0].numpy() == pytest.approx([0.0, 0.0, 1.0])
