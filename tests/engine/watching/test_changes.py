"""Series in units of even noise: the unit of errors, thinning, and which reading is taken."""

import numpy as np
import pandas as pd
import pytest

from heldout.engine.watching.changes import risk_named, thinned


def rows(name: str, steps: list[int], values: list[float], **more: list[float]) -> pd.DataFrame:
    return pd.DataFrame({"step": steps, "name": name, "value": values, **more})


def test_the_error_of_n_examples_has_noise_of_one_over_root_n_at_every_level() -> None:
    error = np.array([0.5, 0.1, 0.02, 0.0])
    se = np.sqrt(error * (1 - error) / 400)
    se[-1] = 1 / 400  # at 0, where the formula gives 0, an interval still has about this
    found = risk_named(
        rows("validation-error", [0, 1, 2, 3], list(error), standard_error=list(se)), ["validation-error"]
    )
    assert found is not None
    assert found.shared == pytest.approx(np.full(4, 1 / 20), rel=0.01)
    assert found.risk(found.level) == pytest.approx(error, abs=1e-12)


def test_losses_are_logarithms_with_relative_errors() -> None:
    found = risk_named(rows("loss", [0, 1, 2], [1.0, np.e, 0.0], low=[0.5, 1, 0], high=[0.892, 1, 0]), ["loss"])
    assert found is not None
    assert found.level[:2] == pytest.approx([0, 1])
    assert found.shared[:2] == pytest.approx([0.1, 0])
    assert found.removed[0] == pytest.approx([0, 1 - np.e, 1])


def test_thinned_rows_are_means_and_none_is_lost_or_waits_longer_than_a_fiftieth() -> None:
    steps = np.arange(2000)
    groups = thinned(steps)
    whole = groups[groups >= 0]
    assert (np.diff(whole) >= 0).all()
    assert set(np.diff(whole)) <= {0, 1}
    ends = np.flatnonzero(np.diff(whole)).astype(float)
    assert (ends[1:] <= np.maximum(1.02 * ends[:-1] + 1, ends[:-1] + 1)).all()
    assert len(set(whole)) < 300
    found = risk_named(rows("train-error", list(range(200)), [0.5] * 100 + [0.2, 0.3] * 50), ["train-error"])
    assert found is not None
    assert 0.2 < found.risk(found.level)[-1] < 0.3


def test_the_reading_that_is_preferred_counts_if_it_was_there_from_the_beginning() -> None:
    loss = rows("loss", list(range(10)), [2.0] * 10)
    early, late = rows("train-error", [3, 6, 9], [0.5] * 3), rows("train-error", [4, 6, 9], [0.5] * 3)
    for error, chosen in ((early, "train-error"), (late, "loss")):
        found = risk_named(pd.concat([loss, error]).sort_values("step"), ["train-error", "loss"])
        assert found is not None
        assert found.name == chosen
    assert risk_named(loss, ["train-error"]) is None
    assert risk_named(rows("loss", [0], [0.0]), ["loss"]) is None
