"""Observables ask for what a posterior has, and for nothing else."""

import numpy as np
import pytest

from heldout.catalog import observable, units
from heldout.catalog.declaring import MARK
from heldout.catalog.observables import OBSERVED
from heldout.catalog.walking import check_observed
from heldout.records import Direction, Refusal


def test_those_of_the_catalog_do() -> None:
    found = units("observable")
    assert {"learning-coefficient", "waic", "wbic", "singular-fluctuation", "free-energy"} <= set(found)
    assert all(set(unit.needs) <= set(OBSERVED) for unit in found.values())
    assert all(unit.source and unit.direction is Direction.NEITHER for unit in found.values())


def test_another_wish_is_refused() -> None:
    @observable(source="none", likelihood=True, unit_of_value="nats", undefined="never")
    def wishful(temperament: np.ndarray) -> tuple[float, np.ndarray]:
        """Asks for what is not there."""
        return 0.0, temperament

    declared = getattr(wishful, MARK)
    assert declared.fields["likelihood"]
    assert (declared.fields["unit"], declared.fields["undefined"]) == ("nats", "never")
    with pytest.raises(Refusal, match="temperament"):
        check_observed({"wishful": declared})
