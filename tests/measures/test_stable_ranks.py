"""Stable ranks in closed form, their range, and against NumPy on networks."""

import numpy as np
import pytest
import torch
from tests import cases
from tests.oracles import norms as oracle

from heldout.catalog import find
from heldout.engine.evidence.reading_units import read_measure
from heldout.engine.evidence.resolving import Evidence
from heldout.measures.stable_ranks import mean_stable_rank, stable_rank, stable_ranks


def test_equal_singular_values_count_fully_and_one_alone_counts_once() -> None:
    spectra = {"identity": torch.full((4,), 3.0), "rank one": torch.tensor([5.0, 0.0, 0.0])}
    assert stable_ranks(spectra).tolist() == [4.0, 1.0]
    assert stable_rank(spectra).item() == 5.0
    assert mean_stable_rank(spectra).item() == 2.5


def test_scale_does_not_move_it() -> None:
    values = torch.tensor([3.0, 2.0, 0.5], dtype=torch.float64)
    assert stable_rank({"a": 7 * values}).item() == pytest.approx(stable_rank({"a": values}).item(), rel=1e-14)


def test_a_layer_of_zeros_has_none() -> None:
    assert stable_rank({"a": torch.zeros(3, dtype=torch.float64)}).item() == 0


@pytest.mark.parametrize("case", ["mlp", "cnn", "transformer"])
def test_readings_on_networks(case: str) -> None:
    one = cases.ALL[case]()
    expected = []
    for matrix in oracle.weight_matrices(one.network).values():
        expected.append((matrix**2).sum() / np.linalg.norm(matrix, 2) ** 2)
    evidence = Evidence(one.subject())
    assert read_measure(find("stable-rank"), evidence).value[0] == pytest.approx(sum(expected), rel=1e-5)
    assert read_measure(find("mean-stable-rank"), evidence).value[0] == pytest.approx(np.mean(expected), rel=1e-5)
