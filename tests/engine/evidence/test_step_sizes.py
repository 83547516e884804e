"""Sums of step sizes, one a network."""

import pytest
from tests import cases

from heldout.engine.evidence.resolving import Evidence
from heldout.engine.training import Recipe
from heldout.records import NotApplicable


def test_rates_times_steps_of_every_network() -> None:
    subject = cases.together([cases.mlp(0), cases.mlp(1)])
    found = Evidence(subject, recipe=Recipe(lr=(0.1, 0.2), batch_size=10, steps=50))["step_sizes"]
    assert found.tolist() == pytest.approx([5.0, 10.0])
    with pytest.raises(NotApplicable, match="adam"):
        Evidence(subject, recipe=Recipe(optimizer="adam", lr=0.1, batch_size=10, steps=5))["step_sizes"]
