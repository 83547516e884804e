"""Counts against counts by hand."""

import math

import pytest
from tests import cases

from heldout.catalog import find
from heldout.engine.evidence.reading_units import read_measure
from heldout.engine.evidence.resolving import Evidence
from heldout.records import Status

# Counted by hand from tests/architectures.py.
MLP = (8 * 16 + 16 * 12 + 12 * 3, 16 + 12 + 3)
CNN = (6 * 2 * 9 + 8 * 6 * 9 + 3 * 32, 2 * 6 + 8 + 2 * 8 + 3)
TIED = (8 * 8 + 3 * 8, 8 + 8 + 3)


@pytest.mark.parametrize(("case", "weights", "rest"), [
    (cases.mlp, *MLP), (cases.cnn, *CNN), (cases.tied, *TIED),
])  # fmt: skip
def test_counts(case: object, weights: int, rest: int) -> None:
    evidence = Evidence(case().subject())  # type: ignore[operator]
    assert read_measure(find("params"), evidence).value.item() == weights + rest
    assert read_measure(find("weight-params"), evidence).value.item() == weights


def test_every_member_has_the_count() -> None:
    evidence = Evidence(cases.together([cases.mlp(0), cases.mlp(1)]))
    assert read_measure(find("params"), evidence).value.tolist() == [sum(MLP)] * 2
    assert read_measure(find("weight-params"), evidence).value.tolist() == [MLP[0]] * 2


def test_published_counts_and_the_dimension_of_a_dense_network() -> None:
    evidence = Evidence(cases.together([cases.mlp(0), cases.mlp(1)]))
    by_hand = 8 * 17 + 16 * 13 + 12 * 4
    assert read_measure(find("published-params"), evidence).value.tolist() == [by_hand] * 2
    inside = 3 * math.log2(6 * 3 * 1) ** 3 * MLP[0] / 60
    assert read_measure(find("vc-dim"), evidence).value == pytest.approx([4000 * math.sqrt(inside)] * 2, rel=1e-12)


def test_published_counts_and_the_dimension_of_a_convolutional_network() -> None:
    evidence = Evidence(cases.cnn().subject())
    by_hand = 9 * 2 * (6 + 1) + 9 * 6 * (8 + 1) + 32 * (3 + 1)
    assert read_measure(find("published-params"), evidence).value.item() == pytest.approx(by_hand, rel=1e-12)
    inside = 3 * math.log2(6 * 3 * 6) ** 3 * CNN[0] / 60  # pictures of 6 x 6
    assert read_measure(find("vc-dim"), evidence).value.item() == pytest.approx(4000 * math.sqrt(inside), rel=1e-12)


def test_what_is_no_chain_has_no_dimension_here() -> None:
    for name in ("vc-dim", "published-params"):
        assert read_measure(find(name), Evidence(cases.lstm().subject())).statuses == (Status.NOT_APPLICABLE,)
