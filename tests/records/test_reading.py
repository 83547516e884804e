"""A reading has a number or says why not; its rows are plain values that rebuild it."""

import dataclasses
import json
from typing import Any

import numpy as np
import pytest
import torch
from jaxtyping import TypeCheckError

from heldout.records import Direction, Passes, Profile, Reading, Status, estimate

FIELDS = ["member", "name", "family", "value", "low", "high", "standard_error", "unit", "direction", "status", "reason",
          "passes", "seconds"]  # fmt: skip


def reading(**changes: Any) -> Reading:
    given: dict[str, Any] = dict(
        name="path-norm", family="paths", unit="nats", direction=Direction.HIGHER_IS_WORSE,
        statuses=(Status.OK, Status.UNDEFINED), reasons=("", "the <margin> is not positive"),
        passes=Passes(2.0, 1.0), seconds=0.5,
        _value=np.array([1.25, np.nan]), _standard_error=np.array([0.5, np.nan]),
        _low=np.array([1.0, np.nan]), _high=np.array([np.nan, np.nan]),
    )  # fmt: skip
    return Reading(**{**given, **changes})


def test_what_is_absent_is_masked_and_never_nan() -> None:
    one = reading()
    assert one.value.tolist() == [1.25, None]
    assert one.standard_error.tolist() == [0.5, None]
    assert one.low.tolist() == [1.0, None]
    assert one.high.tolist() == [None, None]
    assert not one.ok


def test_a_complete_reading_is_a_plain_array() -> None:
    one = reading(statuses=(Status.OK, Status.OK), reasons=("", ""), _value=np.array([1.0, 2.0]))
    assert type(one.value) is np.ndarray
    assert one.ok


def test_rows_are_plain_values_in_the_order_of_the_schema() -> None:
    rows = reading().rows()
    assert [list(row) for row in rows] == [FIELDS, FIELDS]
    assert rows[0] == dict(zip(FIELDS, [0, "path-norm", "paths", 1.25, 1.0, None, 0.5, "nats", "higher is worse", "ok", "",
                                        {"forward": 2.0, "backward": 1.0}, 0.5], strict=True))  # fmt: skip
    assert rows[1]["value"] is None
    assert rows[1]["status"] == "undefined"
    json.dumps(rows, allow_nan=False)


def test_rows_rebuild_the_reading() -> None:
    one = reading()
    assert Reading.from_rows(json.loads(json.dumps(one.rows()))).rows() == one.rows()


def test_notebooks_show_it_escaped() -> None:
    html = reading()._repr_html_()
    assert "path-norm" in html
    assert "1.25" in html
    assert "&lt;margin&gt;" in html
    assert "nan" not in html


def test_records_are_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        reading().name = "other"  # type: ignore[misc]
    with pytest.raises(dataclasses.FrozenInstanceError):
        Profile("a", "b", ()).name = "other"  # type: ignore[misc]


def test_shapes_of_a_record_are_checked_while_tests_run() -> None:
    with pytest.raises(TypeCheckError):
        reading(_low=np.array([1.0, 2.0, 3.0]))


def test_an_estimate_fills_what_is_absent() -> None:
    one = estimate(torch.tensor([1.0, 2.0]), low=torch.tensor([0.5, 1.5]))
    assert one.value.tolist() == [1.0, 2.0]
    assert one.low.tolist() == [0.5, 1.5]
    assert one.standard_error.isnan().all()
    assert one.high.isnan().all()
    assert one.standard_error.dtype == torch.float64
    assert one.converged.tolist() == [True, True]
    all_given = estimate(*(value := [torch.tensor(float(i)) for i in range(4)])[:1], standard_error=value[1],
                         low=value[2], high=value[3], converged=torch.tensor(False))  # fmt: skip
    assert [part.item() for part in all_given] == [0.0, 1.0, 2.0, 3.0, False]


def test_passes_add_up() -> None:
    assert sum([Passes(1.0, 2.0), Passes(0.5)], Passes()) == Passes(1.5, 2.0)
