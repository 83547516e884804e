"""Percentiles by hand, and readings that must not be compared."""

import numpy as np
import pandas as pd

from heldout.atlas import placement
from heldout.atlas.placing import LOSS, SIZES, outside

TABLE = pd.DataFrame({
    LOSS: [0.01] * 4,
    "measure.params": [10.0, 20.0, 30.0, 40.0],
    "context.examples": [100.0] * 4,
    "context.classes": [10.0] * 4,
    "context.inputs": [5.0] * 4,
    "measure.param-norm": [1.0, 2.0, 2.0, 3.0],  # unbounded: sizes matter
    "measure.label-wise-mixup": [0.2, 0.4, 0.6, np.nan],  # a share
}).astype("float32")
FACTS = {LOSS: 0.015, "measure.params": 25.0, "context.examples": 100.0, "context.classes": 10.0, "context.inputs": 5.0}


def test_percentiles_count_ties_half_and_missing_not_at_all() -> None:
    found = placement({"param-norm": [2.0, 9.0, None], "label-wise-mixup": [0.5]}, FACTS, TABLE)
    assert [(row["name"], row["member"], row["percentile"]) for row in found.rows] == [
        ("param-norm", 0, 50.0), ("param-norm", 1, 100.0), ("label-wise-mixup", 0, 200 / 3),
    ]  # fmt: skip
    assert (found.reasons, found.left_out, found.networks) == ((), {}, 4)


def test_beyond_the_atlas_s_sizes_only_shares_are_compared() -> None:
    found = placement({"param-norm": [2.0], "label-wise-mixup": [0.5]}, {**FACTS, "measure.params": 5000.0}, TABLE)
    assert [row["name"] for row in found.rows] == ["label-wise-mixup"]
    assert found.reasons == ("5,000 parameters, where the known networks have 10 to 40",)
    assert found.left_out["param-norm"] == found.reasons[0]


def test_a_network_still_in_training_is_not_compared_at_all() -> None:
    for loss in (0.5, None):
        found = placement({"param-norm": [2.0], "label-wise-mixup": [0.5]}, {**FACTS, LOSS: loss}, TABLE)
        assert not found.rows
        assert set(found.left_out) == {"param-norm", "label-wise-mixup"}


def test_what_is_not_known_is_not_held_against_a_network() -> None:
    assert outside({"measure.params": None, "context.examples": 7.0}, TABLE, SIZES) == [
        "7 training examples, where the known networks have 100"
    ]
    assert outside({"measure.params": 7.0}, TABLE[[LOSS]], SIZES) == []


def test_a_fact_that_no_network_of_the_table_has_says_nothing() -> None:
    assert outside(FACTS, TABLE.assign(**{"context.inputs": np.nan}), SIZES) == []


def test_a_reading_beyond_single_precision_lies_above_all() -> None:
    found = placement({"param-norm": [1e300]}, FACTS, TABLE)
    assert [row["percentile"] for row in found.rows] == [100.0]
