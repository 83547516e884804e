"""The table of weight statistics: its rows are the evidence's."""

import numpy as np
from tests import cases

from heldout.catalog import units
from heldout.engine.evidence.reading_units import read_profile
from heldout.engine.evidence.resolving import Evidence
from heldout.engine.evidence.weight_statistics import STATISTICS


def test_rows() -> None:
    members = [cases.mlp(seed) for seed in (0, 1)]
    rows = read_profile(units("profile")["weight-table"], Evidence(cases.together(members))).rows
    assert [(row["member"], row["parameter"]) for row in rows] == [
        (member, name) for member in (0, 1) for name, _ in members[0].network.named_parameters()
    ]
    bias = dict(members[1].network.named_parameters())["2.bias"].detach().double().numpy()
    row = next(row for row in rows if row["member"] == 1 and row["parameter"] == "2.bias")
    expected = [bias.mean(), bias.std(), *np.percentile(bias, [0, 25, 50, 75, 100])]
    np.testing.assert_allclose([row[name] for name in STATISTICS], expected, rtol=1e-12)
