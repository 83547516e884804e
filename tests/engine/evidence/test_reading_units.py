"""From a formula for one network to a reading of all: mapped, chunked, judged."""

from typing import Any
from unittest import mock

import numpy as np
import pytest
import torch
from tests import cases
from tests.house.sabotage import broken
from tests.subjects import evidence
from torch import Tensor

from heldout.catalog import profile
from heldout.catalog.declaring import MARK, Unit
from heldout.engine.evidence import reading_units
from heldout.engine.evidence.reading_units import mapped, read_measure, read_profile
from heldout.engine.evidence.resolving import Evidence
from heldout.engine.subject import Subject
from heldout.records import Estimate, Passes, Status, estimate


@broken()
def largest(losses: Tensor, train_size: int) -> Tensor:
    """Of one network: ``[N]`` in, a number out."""
    return losses.max() + 0 * train_size


@broken(undefined="the largest loss is not above the limit")
def limited(losses: Tensor, *, limit: float = -1.0) -> Tensor:
    """Undefined at member 0 only, by a limit that the test sets."""
    return torch.where(losses.max() > limit, losses.max(), float("nan"))


@broken(unit_of_value="nats")
def with_everything(losses: Tensor) -> Estimate:
    """Uncertainty, and a search that settles where the largest loss is below 1."""
    mean, error = losses.mean(), losses.std()
    return estimate(mean, standard_error=error, low=mean - error, high=mean + error, converged=losses.max() < 1e9)


@broken()
def unsettled(losses: Tensor) -> Estimate:
    """Never settles."""
    return estimate(losses.mean(), low=losses.mean(), converged=losses.mean() < -1)


@broken()
def faulty(losses: Tensor) -> Tensor:
    """Stops with two lines."""
    raise RuntimeError("first line\nsecond line")


@broken()
def count(train_size: int) -> Tensor:
    """Of no tensor at all."""
    return torch.tensor(float(train_size))


def expected_losses() -> np.ndarray:
    rows = []
    for seed in (0, 1, 2):
        case = cases.mlp(seed=seed)
        with torch.no_grad():
            outputs = case.network(case.train[0]).double()
        rows.append(torch.nn.functional.cross_entropy(outputs, case.train[1], reduction="none").numpy())
    return np.stack(rows)


def absent(column: np.ndarray) -> np.ndarray:
    return np.ma.getmaskarray(column)


def test_one_value_a_member_in_float64() -> None:
    reading = read_measure(largest, evidence("mlp"))
    assert reading.value.dtype == np.float64
    np.testing.assert_allclose(reading.value, expected_losses().max(1), rtol=1e-4)
    assert reading.ok
    assert reading.reasons == ("", "", "")
    assert absent(reading.standard_error).all()
    assert reading.name == "largest"


@pytest.mark.parametrize("chunk", [1, 2**30])
def test_chunks_change_nothing(chunk: int) -> None:
    whole = read_measure(largest, evidence("mlp")).value
    with mock.patch.object(reading_units, "CHUNK_BYTES", chunk):
        assert np.array_equal(read_measure(largest, evidence("mlp")).value, whole)


def test_uncertainty_comes_along() -> None:
    reading = read_measure(with_everything, evidence("mlp"))
    losses = expected_losses()
    np.testing.assert_allclose(reading.value, losses.mean(1), rtol=1e-4)
    np.testing.assert_allclose(reading.standard_error, losses.std(1, ddof=1), rtol=1e-4)
    np.testing.assert_allclose(reading.low, losses.mean(1) - losses.std(1, ddof=1), rtol=1e-3, atol=1e-7)
    np.testing.assert_allclose(reading.high, losses.mean(1) + losses.std(1, ddof=1), rtol=1e-3)
    assert reading.unit == "nats"


def test_undefined_at_one_member_is_absent_there_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    tops = np.sort(expected_losses().max(1))
    limit = float(tops[:2].mean())  # between the smallest and the next
    monkeypatch.setattr(limited.function, "__kwdefaults__", {"limit": limit})
    reading = read_measure(limited, evidence("mlp"))
    lost = expected_losses().max(1) < limit
    assert lost.sum() == 1
    assert [status is Status.UNDEFINED for status in reading.statuses] == list(lost)
    assert [reason == "the largest loss is not above the limit" for reason in reading.reasons] == list(lost)
    assert list(absent(reading.value)) == list(lost)


def test_what_did_not_settle_has_no_number_and_no_interval() -> None:
    reading = read_measure(unsettled, evidence("mlp"))
    assert set(reading.statuses) == {Status.NOT_CONVERGED}
    assert all(reading.reasons)
    assert absent(reading.value).all()
    assert absent(reading.low).all()


def test_a_fault_is_a_status_and_one_line() -> None:
    reading = read_measure(faulty, evidence("mlp"))
    assert reading.statuses == (Status.FAILED,) * 3
    assert reading.reasons == ("RuntimeError: first line",) * 3
    assert absent(reading.value).all()


@pytest.mark.parametrize("number", ["nan", "inf", "-inf"])
def test_numbers_that_are_none_are_never_shown(number: str) -> None:
    @broken()
    def bad(losses: Tensor) -> Tensor:
        return losses.mean() * 0 + float(number)

    reading = read_measure(bad, evidence("mlp"))
    assert reading.statuses == (Status.NOT_FINITE,) * 3
    assert reading.reasons[0] == f"the result was {number}"
    assert all(row["value"] is None for row in reading.rows())


def test_evidence_without_tensors_holds_for_all_members() -> None:
    assert read_measure(count, evidence("mlp")).value.tolist() == [60.0] * 3


def test_not_applicable_has_reason_and_remedy() -> None:
    @broken()
    def unseen(test_losses: Tensor) -> Tensor:
        return test_losses.mean()

    case = cases.mlp()
    reading = read_measure(unseen, Evidence(Subject(case.network, train=case.train)))
    assert reading.statuses == (Status.NOT_APPLICABLE,)
    assert reading.reasons[0].startswith("there is no test data; pass test=(x, y)")


def test_passes_are_those_of_the_reading_asked_alone() -> None:
    source = Evidence(cases.mlp().subject())
    source["gradient_norms"]
    assert read_measure(largest, source).passes == Passes(1.0, 0.0)
    assert read_measure(count, source).passes == Passes()


def test_mapped_takes_trees_and_constants() -> None:
    def formula(tree: dict[str, Any], factor: float) -> Tensor:
        return tree["a"].sum() * factor + tree["b"][0]

    tree = {"a": torch.arange(6.0).reshape(2, 3), "b": (torch.tensor([10.0, 20.0]), "a word")}
    assert mapped(formula, {"tree": tree, "factor": 2.0}).tolist() == [16.0, 44.0]


def profile_unit(function: Any) -> Unit:
    unit: Unit = getattr(profile(source="none")(function), MARK)
    return unit


def test_a_profile_is_rows_without_nan() -> None:
    def curve(losses: Tensor) -> dict[str, Any]:
        """Two columns."""
        return {"member": [0, 1], "value": torch.tensor([1.5, float("nan")])}

    table = read_profile(profile_unit(curve), evidence("mlp"))
    assert table.rows == ({"member": 0, "value": 1.5}, {"member": 1, "value": None})


def test_a_profile_of_what_is_absent_is_empty() -> None:
    def unseen_curve(test_losses: Tensor) -> dict[str, Any]:
        """Never reached."""
        raise AssertionError

    case = cases.mlp()
    assert read_profile(profile_unit(unseen_curve), Evidence(Subject(case.network, train=case.train))).rows == ()
