"""The layers' tables against NumPy, and their limits on members and points."""

import numpy as np
import pytest
import torch
from tests import cases
from tests.oracles import norms as oracle
from torch import nn

from heldout.catalog import units
from heldout.engine.evidence.reading_units import read_profile
from heldout.engine.evidence.resolving import Evidence
from heldout.engine.subject import Subject
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


class Odd(nn.Module):
    """A layer that is a matrix, and a parameter that is none."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(12, 16)
        self.mixing = nn.Parameter(torch.ones(2, 3, 16))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.einsum("nf,abf->nab", self.layer(x), self.mixing).sum(2)


def test_what_is_not_analysed_is_listed_with_the_reason() -> None:
    source = Evidence(Subject([Odd(), Odd()], train=(torch.randn(6, 12), torch.arange(6) % 2)))
    rows = read_profile(units("profile")["layer-spectra"], source).rows
    assert [(row["member"], row["layer"], row["kind"]) for row in rows] == [
        (member, *entry) for member in (0, 1) for entry in (("layer.weight", "dense"), ("mixing", "not analysed"))
    ]
    assert "3 axes in a Odd" in rows[1]["note"]
    assert rows[1]["alpha"] is None
    assert rows[0]["spikes"] is not None


def test_gates_and_heads_have_rows() -> None:
    rows = read_profile(units("profile")["layer-spectra"], Evidence(cases.lstm().subject())).rows
    assert sum("gate]" in row["layer"] or "[cell]" in row["layer"] for row in rows) == 8
    case = cases.transformer()
    rows = read_profile(units("profile")["attention-heads"], Evidence(case.subject())).rows
    weight = case.network.get_parameter("body.self_attn.in_proj_weight").detach().double().numpy()
    assert [(row["layer"].rpartition("[")[2], row["head"]) for row in rows] == [
        (f"{part}]", head) for part in ("query", "key", "value") for head in (0, 1)
    ]
    for row, rows_of_head in zip(rows, np.split(weight, 6), strict=True):
        values = np.linalg.svd(rows_of_head, compute_uv=False)
        assert row["spectral_norm"] == pytest.approx(values[0], rel=1e-5)
        assert row["stable_rank"] == pytest.approx((values**2).sum() / values[0] ** 2, rel=1e-5)
        assert row["alpha"] is None  # four eigenvalues
