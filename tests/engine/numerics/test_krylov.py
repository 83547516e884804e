"""Lanczos against dense eigenvalues: residual bounds, stopping, exhaustion, and what quadratures integrate exactly."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from heldout.engine.numerics.krylov import Krylov, lanczos, radau, ritz

spectra = st.lists(st.floats(-5, 5), min_size=4, max_size=9)


def matrix_of(spectrum: list[float], seed: int = 0) -> Tensor:
    """A symmetric matrix with these eigenvalues in a random basis."""
    generator = torch.Generator().manual_seed(seed)
    basis = torch.linalg.qr(torch.randn(len(spectrum), len(spectrum), generator=generator, dtype=torch.float64)).Q
    return basis @ torch.tensor(spectrum, dtype=torch.float64).diag() @ basis.T


def start_of(*shape: int, seed: int = 1) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def space_of(matrix: Tensor, start: Tensor, steps: int, tolerance: float = 0.0) -> Krylov:
    return lanczos(lambda v: v @ matrix, start, steps, tolerance=tolerance)


@given(spectra, st.integers(1, 9))
def test_some_eigenvalue_lies_within_the_residual_of_each_ritz_value(spectrum: list[float], steps: int) -> None:
    space = space_of(matrix_of(spectrum), start_of(1, 2, len(spectrum)), steps)
    found = ritz(space)
    weight = found.weights.flatten() > 1e-12  # what fills unused steps has none
    for value, residual in zip(found.values.flatten()[weight], found.residuals.flatten()[weight], strict=True):
        assert np.abs(np.array(spectrum) - value.item()).min() <= residual.item() + 1e-5
    assert (found.values[..., -1] <= max(spectrum) + 1e-7).all()
    assert (found.values[..., 0] >= min(spectrum) - 1e-7).all()
    torch.testing.assert_close(found.weights.sum(-1), torch.ones(1, 2, dtype=torch.float64))


@given(spectra)
def test_the_basis_is_orthonormal_and_the_tridiagonal_matrix_is_the_operator_in_it(spectrum: list[float]) -> None:
    matrix = matrix_of(spectrum)
    space = space_of(matrix, start_of(1, 1, len(spectrum)), 9)
    used = int(space.used)
    q = space.basis[0, 0, :used]
    torch.testing.assert_close(q @ q.T, torch.eye(used, dtype=torch.float64), atol=1e-9, rtol=0)
    torch.testing.assert_close((q @ matrix @ q.T).diagonal(), space.diagonal[0, 0, :used], atol=1e-9, rtol=0)


def test_all_steps_give_all_eigenvalues() -> None:
    spectrum = [-3.0, -1.0, 0.5, 2.0, 2.5, 7.0]
    space = space_of(matrix_of(spectrum), start_of(1, 1, 6), 99)
    assert space.used.item() == 6
    assert space.settled.item()
    assert ritz(space).values.flatten().tolist() == pytest.approx(spectrum)


def test_an_exhausted_space_is_exact() -> None:
    assert space_of(torch.eye(5, dtype=torch.float64), start_of(1, 1, 5), 5).used.item() == 1
    rank_two = space_of(matrix_of([0, 0, 0, 0, 1.0, 4.0]), start_of(1, 1, 6), 6)
    assert rank_two.used.item() == 3  # two and the null space
    assert ritz(rank_two).values[0, 0, -1].item() == pytest.approx(4)
    nothing = space_of(torch.zeros(4, 4, dtype=torch.float64), start_of(1, 1, 4), 4)
    assert (nothing.used.item(), nothing.settled.item(), ritz(nothing).values.abs().max().item()) == (1, True, 0.0)


def test_a_negative_matrix_has_no_zero_among_its_ritz_values() -> None:
    # Two of one batch: the one is exhausted at once, and what fills its rows may not be taken for an eigenvalue.
    both = torch.stack([-torch.eye(8, dtype=torch.float64), matrix_of([-9.0, -8, -6, -5, -4, -3, -2, -1])])
    space = lanczos(lambda v: v @ both, start_of(2, 1, 8), 8)
    assert space.used.flatten().tolist() == [1, 8]
    assert ritz(space).values[:, 0, -1].tolist() == pytest.approx([-1, -1])


def test_the_residual_decides_when_to_stop_and_everyone_for_themselves() -> None:
    rng = np.random.default_rng(0)
    easy = matrix_of([*rng.uniform(0, 1, 59), 50.0])
    hard = matrix_of([*rng.uniform(0, 1, 58), 1.05, 1.06], seed=2)
    both, start = torch.stack([easy, hard]), start_of(1, 1, 60).expand(2, 1, 60)
    together = lanczos(lambda v: v @ both, start, 60, tolerance=1e-3)
    steps = together.used.flatten().tolist()
    assert steps[0] < 8 < steps[1] < 60
    found = ritz(together)
    assert found.values[:, 0, -1].tolist() == pytest.approx([50.0, 1.06], rel=1e-3)
    assert (found.residuals[:, 0, -1] <= 1e-3 * found.values[:, 0, -1]).all()
    for index, matrix in enumerate((easy, hard)):
        alone = space_of(matrix, start[:1], 60, tolerance=1e-3)
        assert alone.used.item() == steps[index]
        torch.testing.assert_close(ritz(alone).values[0, 0, -1], found.values[index, 0, -1], rtol=1e-12, atol=0)
    patient = lanczos(lambda v: v @ both, start, 60, tolerance=1e-3, least=9)
    assert patient.used.flatten().tolist()[0] == 9
    short = space_of(hard, start[:1], 6, tolerance=1e-3)
    assert not short.settled.item()  # it ran out of steps, and says so


@given(st.lists(st.floats(0, 3), min_size=7, max_size=7), st.integers(2, 5))
def test_gauss_is_exact_to_degree_2k_minus_1_and_radau_to_2k(spectrum: list[float], steps: int) -> None:
    matrix, start = matrix_of(spectrum), start_of(1, 1, 7)
    unit = start / start.norm()
    space = space_of(matrix, start, steps)
    inner, outer = ritz(space), radau(space, torch.full((1, 1), -1.0, dtype=torch.float64))
    power = unit[0, 0]
    for degree in range(2 * steps + 1):
        exact = (unit[0, 0] @ power).item()
        if degree < 2 * steps:
            assert (inner.weights * inner.values**degree).sum().item() == pytest.approx(exact, abs=1e-5 * 3**degree)
        assert (outer.weights * outer.values**degree).sum().item() == pytest.approx(exact, abs=1e-5 * 3**degree)
        power = matrix @ power
    if int(space.used) == steps:
        assert outer.values[0, 0, 0].item() == pytest.approx(-1.0) or space.beside[0, 0, -1] < 1e-6


@given(st.lists(st.floats(0, 5), min_size=8, max_size=8), st.integers(1, 8), st.floats(0.05, 5))
def test_the_two_quadratures_bracket_a_decreasing_function(spectrum: list[float], steps: int, shift: float) -> None:
    matrix, start = matrix_of(spectrum), start_of(1, 3, 8)
    unit = start / start.norm(dim=-1, keepdim=True)
    exact = (unit * torch.linalg.solve(matrix + shift * torch.eye(8, dtype=torch.float64), unit.mT).mT).sum(-1)
    space = space_of(matrix, start, steps)
    inner, outer = ritz(space), radau(space, torch.full((1, 3), -1e-9, dtype=torch.float64))
    slack = 1e-5 * exact
    assert ((inner.weights / (inner.values + shift)).sum(-1) <= exact + slack).all()
    assert ((outer.weights / (outer.values + shift)).sum(-1) >= exact - slack).all()


def test_a_matrix_that_is_not_finite_leaves_the_others_alone() -> None:
    good = matrix_of([1.0, 2.0, 3.0, 4.0, 9.0])
    both, start = torch.stack([good, torch.full_like(good, torch.nan)]), start_of(1, 1, 5).expand(2, 1, 5)
    space = lanczos(lambda v: v @ both, start, 5, tolerance=1e-3)
    assert ritz(space).values[0, 0, -1].item() == pytest.approx(9)
    assert ritz(space).values[1].isnan().all()
    assert radau(space, torch.zeros(2, 1, dtype=torch.float64) - 1).values[1].isnan().all()
    assert space.settled.flatten().tolist() == [True, False]
