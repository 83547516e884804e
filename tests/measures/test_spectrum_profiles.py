"""The layers' tables against NumPy, and their limits on members and points."""

import numpy as np
import pytest
from tests import cases
from tests.oracles import norms as oracle

from heldout.catalog import units
from heldout.engine.evidence.reading_units import read_profile
from heldout.engine.evidence.resolving import Evidence
from heldout.measures.spectrum_profiles import MEMBERS, RANKS


def test_a_layers_row_holds_its_norms() -> None:
    case = cases.mlp()
    rows = read_profile(units("profile")["layer-spectra"], Evidence(case.subject())).rows
    matrices = list(oracle.weight_matrices(case.network).values())
    assert len(rows) == len(matrices)
    for row, matrix in zip(rows, matrices, strict=True):
        assert (row["rows"], row["columns"]) == matrix.shape
        assert row["spectral_norm"] == pytest.approx(np.linalg.norm(matrix, 2), rel=1e-5)
        assert row["frobenius_norm"] == pytest.approx(np.linalg.norm(matrix), rel=1e-5)
        assert row["stable_rank"] == pytest.approx((np.linalg.norm(matrix) / np.linalg.norm(matrix, 2)) ** 2, rel=1e-5)
        if min(matrix.shape) < 10:
            assert row["alpha"] is None  # too few eigenvalues for a tail: absent, not a number


def test_a_spectrum_descends_and_starts_at_the_norm() -> None:
    case = cases.cnn()
    rows = read_profile(units("profile")["spectrum"], Evidence(case.subject())).rows
    for layer, matrix in oracle.weight_matrices(case.network).items():
        own = [row for row in rows if row["layer"] == layer]
        values = np.linalg.svd(matrix, compute_uv=False)
        assert [row["rank"] for row in own] == sorted({row["rank"] for row in own})
        assert len(own) <= RANKS
        for row in own:
            assert row["singular_value"] == pytest.approx(values[row["rank"] - 1], rel=1e-4, abs=1e-6)
            assert row["reference"] > 0


def test_no_more_than_eight_members_are_listed() -> None:
    subject = cases.together([cases.mlp(seed=seed) for seed in range(MEMBERS + 1)])
    for name in ("layer-spectra", "spectrum"):
        rows = read_profile(units("profile")[name], Evidence(subject)).rows
        assert {row["member"] for row in rows} == set(range(MEMBERS))
