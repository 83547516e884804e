"""The profile of divergences: eight members at most, the funnel, and a real network's rows."""

import numpy as np
import pytest
from tests import cases

from heldout.catalog import units
from heldout.engine.evidence.layer_laws import LayerDivergences
from heldout.engine.evidence.reading_units import read_profile
from heldout.engine.evidence.resolving import Evidence
from heldout.representation.layer_divergence import layer_divergence


def test_one_row_a_member_and_layer_and_one_funnel_each() -> None:
    generator = np.random.default_rng(1)
    six = generator.random((6, 9, 3))
    a, b, c, d, e, f = six
    product = np.tile([4.0, 2.0, 1.0], (9, 1))
    table = layer_divergence(LayerDivergences(("input", "a", "output"), a, b, c, d, e, f, product, (5, 5)))
    assert table["member"] == [m for m in range(8) for _ in range(3)]
    assert table["place"] == [0, 1, 2] * 8
    assert table["wasserstein"] == six[0][:8].flatten().tolist()
    assert table["divergence_spread"] == six[5][:8].flatten().tolist()
    assert table["amplified_by_chance"] == pytest.approx((six[1] * product)[:8].flatten())
    assert np.reshape(table["funnel"], (8, 3)).argmax(1).tolist() == (six[0] * product)[:8].argmin(1).tolist()
    assert np.reshape(table["funnel"], (8, 3)).sum(1).tolist() == [1] * 8


def test_a_real_network_has_rows_and_one_without_unseen_examples_has_none() -> None:
    unit = units("profile")["layer-divergence"]
    rows = read_profile(unit, Evidence(cases.mlp().subject())).rows
    assert next(row["layer"] for row in rows) == "input"
    assert all(row["wasserstein"] > 0 for row in rows)
    assert read_profile(unit, Evidence(cases.mlp().subject(test=None))).rows == ()
