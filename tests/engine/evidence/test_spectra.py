"""Spectra against NumPy's decomposition in float64, and the random reference against Gaussian matrices."""

import numpy as np
import pytest
import torch
from tests import cases
from tests.oracles import norms as oracle

from heldout.engine.evidence import spectra as module
from heldout.engine.evidence.resolving import Evidence
from heldout.engine.evidence.spectra import random_singular_values, singular_values
from heldout.records import NotApplicable


def exact(matrices: torch.Tensor) -> np.ndarray:
    return np.linalg.svd(matrices.double().numpy(), compute_uv=False)


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (7, 3), (64, 64), (65, 3000), (3000, 65), (150, 150), (200, 90)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_every_shape_and_precision(shape: tuple[int, int], dtype: torch.dtype) -> None:
    matrices = torch.randn(3, *shape, generator=torch.Generator().manual_seed(0)).to(dtype)
    np.testing.assert_allclose(singular_values(matrices), exact(matrices), rtol=1e-6, atol=1e-12)


def test_blocks_of_columns_rows_and_members_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    matrices = torch.randn(3, 150, 400, generator=torch.Generator().manual_seed(1))
    monkeypatch.setattr(module, "BLOCK_BYTES", 8 * 150 * 150)
    monkeypatch.setattr(module, "ROWS", 64)
    np.testing.assert_allclose(singular_values(matrices), exact(matrices), rtol=1e-9)


@pytest.mark.parametrize("size", [40, 100])
def test_small_singular_values_are_as_accurate_as_the_docstring_says(size: int) -> None:
    generator = torch.Generator().manual_seed(2)
    left, right = (torch.linalg.qr(torch.randn(size, size, generator=generator, dtype=torch.float64))[0] for _ in "ab")
    known = torch.logspace(0, -9, size, dtype=torch.float64)
    found = singular_values((left * known @ right.T)[None])[0]
    if size <= 64:
        np.testing.assert_allclose(found, known, rtol=1e-6)
    else:
        np.testing.assert_allclose(found[known >= 1e-4], known[known >= 1e-4], rtol=1e-6)
        np.testing.assert_allclose(found, known, atol=1e-7)


def test_a_layer_of_zeros_has_a_spectrum_of_zeros() -> None:
    assert singular_values(torch.zeros(2, 70, 90)).abs().max() == 0


@pytest.mark.parametrize("name", ["mlp", "cnn", "transformer"])
def test_spectra_of_networks(name: str) -> None:
    members = [cases.ALL[name](seed=seed) for seed in (0, 1)]
    evidence = Evidence(cases.together(members))
    for member, case in enumerate(members):
        final, initial = oracle.weight_matrices(case.network), oracle.weight_matrices(case.initial)
        assert list(evidence["spectra"]) == list(final)
        for layer, matrix in final.items():
            moved = matrix - initial[layer]
            for key, expected in (("spectra", matrix), ("spectra_at_init", initial[layer])):
                values = np.linalg.svd(expected, compute_uv=False)
                np.testing.assert_allclose(evidence[key][layer][member], values, rtol=1e-5, atol=1e-6 * values[0])
            for key, expected in (
                ("initial_difference_norms", np.linalg.norm(moved, 2)),
                ("initial_difference_squares", np.sum(moved**2)),
                ("initial_squares", np.sum(initial[layer] ** 2)),
            ):
                assert evidence[key][layer][member].item() == pytest.approx(expected, rel=1e-5)


def test_without_initial_weights_there_are_no_initial_spectra() -> None:
    evidence = Evidence(cases.mlp().subject(initial=None))
    for name in ("spectra_at_init", "initial_difference_norms", "initial_difference_squares", "initial_squares"):
        with pytest.raises(NotApplicable, match="weights at initialisation"):
            evidence[name]


@pytest.mark.parametrize("shape", [(5, 8), (8, 5), (1, 6), (4, 4)])
def test_random_reference_has_the_law_of_gaussian_matrices(shape: tuple[int, int]) -> None:
    # Moments of both samples agree within 6 standard errors each: failure probability below 1e-7 if the seeds were free.
    draws = 4000
    ours = np.stack([random_singular_values(*shape, np.random.default_rng([3, i])) for i in range(draws)])
    theirs = np.linalg.svd(np.random.default_rng(4).standard_normal((draws, *shape)), compute_uv=False)
    for power in (1, 2, 4):
        one, other = ours**power, theirs**power
        error = np.sqrt((one.var(0) + other.var(0)) / draws)
        assert (np.abs(one.mean(0) - other.mean(0)) < 6 * error).all()
    assert (np.diff(ours, axis=1) <= 0).all()
