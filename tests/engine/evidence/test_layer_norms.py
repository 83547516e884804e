"""Norms of a chain against NumPy, and shares of margins by counting."""

import numpy as np
import pytest
import torch
from tests import cases

from heldout.engine.evidence.resolving import Evidence


def test_norms_against_numpy_and_shares_by_counting() -> None:
    evidence = Evidence(cases.mlp().subject())
    norms, held = evidence["layer_norms"], evidence["layer_matrices"]
    for layer, (a, b) in enumerate(zip(held.matrices, held.reference, strict=True)):
        matrix, start = a[0].numpy(), b[0].numpy()
        assert norms.spectral[0, layer] == pytest.approx(np.linalg.norm(matrix, 2))
        assert norms.frobenius[0, layer] == pytest.approx(np.sqrt((matrix**2).sum()))
        assert norms.distance[0, layer] == pytest.approx(np.sqrt(((matrix - start) ** 2).sum(1)).sum())
        assert norms.rows[0, layer] == pytest.approx(np.abs(matrix).sum(1).max())
    x = held.inputs.numpy()
    assert norms.inputs == pytest.approx(np.sqrt((x**2).sum()))
    assert norms.column == pytest.approx(np.sqrt((x**2).sum(0).max()))
    assert norms.radius == pytest.approx(np.sqrt((x**2).sum(1)).max())
    assert (norms.entries, norms.classes, norms.examples) == (x.shape[1], 3, len(x))
    shares, margins = evidence["margin_shares"], evidence["margins"][0].double()
    for level, share in zip(shares.levels, shares.shares[0], strict=True):
        assert share == float((margins <= torch.tensor(2.0, dtype=torch.float64).sqrt() ** level).double().mean())
