"""The profile of information: eight members at most, and a real network's rows."""

import numpy as np
from tests import cases

from heldout.catalog import units
from heldout.engine.evidence.layer_laws import LayerInformation
from heldout.engine.evidence.reading_units import read_profile
from heldout.engine.evidence.resolving import Evidence
from heldout.representation.layer_information import layer_information


def test_one_row_a_member_and_layer() -> None:
    generator = np.random.default_rng(1)
    three = generator.random((3, 9, 2))
    table = layer_information(LayerInformation(("input", "output"), three[0], three[1], three[2], np.arange(9.0)))
    assert table["member"] == [m for m in range(8) for _ in range(2)]
    assert table["lower"] == three[0][:8].flatten().tolist()
    assert table["upper"] == three[1][:8].flatten().tolist()
    assert table["standard_error"] == three[2][:8].flatten().tolist()
    assert table["ceiling"] == [float(m) for m in range(8) for _ in range(2)]


def test_a_real_network_has_rows_without_unseen_examples() -> None:
    rows = read_profile(units("profile")["layer-information"], Evidence(cases.cnn().subject(test=None))).rows
    assert [row["layer"] for row in rows][-1] == "output"
    assert all(0 <= row["lower"] <= row["upper"] for row in rows)
