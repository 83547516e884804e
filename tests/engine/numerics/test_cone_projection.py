"""Projections on cones against SciPy's solver, and against the conditions that make a point the nearest."""

import numpy as np
import pytest
import torch
from scipy.optimize import nnls

from heldout.engine.numerics.cone_projection import project


def drawn(seed: int, sets: int, generators: int, entries: int, draws: int) -> tuple[torch.Tensor, ...]:
    generator = torch.Generator().manual_seed(seed)
    make = lambda *shape: torch.randn(*shape, generator=generator, dtype=torch.float64)  # noqa: E731
    return make(sets, generators, entries) + 0.5, make(draws, generators).sign(), make(draws, entries)


@pytest.mark.parametrize(("generators", "entries"), [(5, 12), (12, 12), (40, 8)])
def test_projections_are_those_of_scipy(generators: int, entries: int) -> None:
    x, y, t = drawn(generators, 2, generators, entries, 24)
    found = project(x, y, t)
    assert found.converged.all()
    assert (found.weights >= 0).all()
    fallen = torch.einsum("mtj,tj,mjn->mtn", found.weights, y, x)
    for member in range(2):
        for draw in range(24):
            signed = (y[draw].unsqueeze(1) * x[member]).numpy()
            weights, _ = nnls(signed.T, t[draw].numpy())
            torch.testing.assert_close(fallen[member, draw], torch.tensor(weights @ signed), rtol=1e-7, atol=1e-7)


def test_what_is_left_lies_in_the_polar_cone_and_across_the_projection() -> None:
    x, y, t = drawn(1, 1, 60, 20, 50)
    fallen = torch.einsum("mtj,tj,mjn->tn", project(x, y, t).weights, y, x)
    left = t - fallen
    assert float((y * (left @ x[0].T)).max()) < 1e-7
    assert float((left * fallen).sum(1).abs().max()) < 1e-7


def test_scale_of_generators_and_vectors_does_not_matter_and_zeros_take_no_part() -> None:
    x, y, t = drawn(2, 1, 6, 4, 10)
    x[0, 2] = 0
    base = project(x, y, t).weights
    assert (base[..., 2] == 0).all()
    torch.testing.assert_close(project(1e6 * x, y, 1e-3 * t).weights, 1e-9 * base, rtol=1e-9, atol=1e-24)


def test_nearly_equal_generators_are_solved_too() -> None:
    x, y, t = drawn(3, 1, 10, 6, 20)
    x = torch.cat([x, x + 1e-9], dim=1)
    y = torch.cat([y, y], dim=1)
    found = project(x, y, t)
    fallen = torch.einsum("mtj,tj,mjn->tn", found.weights, y, x)
    alone = project(x[:, :10], y[:, :10], t)
    reference = torch.einsum("mtj,tj,mjn->tn", alone.weights, y[:, :10], x[:, :10])
    torch.testing.assert_close(fallen, reference, rtol=1e-6, atol=1e-6)
    assert np.isfinite(found.weights.numpy()).all()


def test_a_vector_beyond_the_polar_cone_falls_on_the_origin() -> None:
    x, y = torch.tensor([[[1.0, 0.0], [1.0, 1.0]]], dtype=torch.float64), torch.ones(1, 2)
    found = project(x, y, torch.tensor([[-1.0, 0.5]], dtype=torch.float64))
    assert found.weights.tolist() == [[[0.0, 0.0]]]
    assert found.converged.all()
