"""Counts against counts by hand."""

import pytest
from tests import cases

from heldout.catalog import find
from heldout.engine.evidence.reading_units import read_measure
from heldout.engine.evidence.resolving import Evidence

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
