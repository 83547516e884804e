"""A certificate's row is plain values, and rebuilds it."""

import dataclasses
import json
from typing import Any

import pytest

from heldout.records import Certificate, Spent, Status


def certificate(**changes: Any) -> Certificate:
    given: dict[str, Any] = dict(
        name="kl", member=1, value=0.25, delta=0.05, loss="0-1 error", loss_range=(0.0, 1.0), certifies="this network",
        statement="probability over the test sample", ledger=(Spent("test sample", 0.04), Spent("two <sides>", 0.01)),
        data_ledger={"bound": "test examples 0 to 99"}, status=Status.VALID, reason="", baseline={"value": 0.24},
        empirical_risk=0.1, examples=100, source="Langford 2005, Theorem 3.3", code_ledger={"weights": 12.0},
    )  # fmt: skip
    return Certificate(**{**given, **changes})


@pytest.mark.parametrize(
    "changes", [{}, {"value": None, "empirical_risk": None, "status": Status.REFUSED, "reason": "No."}]
)
def test_a_row_rebuilds_it(changes: dict[str, Any]) -> None:
    one = certificate(**changes)
    row = json.loads(json.dumps(one.row(), allow_nan=False))
    assert Certificate.from_row(row) == one
    assert Certificate.from_row(row).row() == one.row()


def test_every_field_is_in_the_row() -> None:
    assert set(certificate().row()) == {field.name for field in dataclasses.fields(Certificate)}


def test_the_ledger_adds_up_to_delta() -> None:
    assert sum(spent.delta for spent in certificate().ledger) == pytest.approx(0.05)


def test_notebooks_show_the_ledger_escaped() -> None:
    html = certificate()._repr_html_()
    assert "0-1 error &le; 0.25" in html
    assert "two &lt;sides&gt;: 0.01" in html
    assert "refused" in certificate(value=None)._repr_html_()


def test_it_is_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        certificate().value = 0.0  # type: ignore[misc]
