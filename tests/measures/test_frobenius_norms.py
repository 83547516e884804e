"""Frobenius norms, their products and sums against NumPy."""

import numpy as np
import pytest
from tests import cases
from tests.oracles import norms as oracle
from tests.oracles import outputs

from heldout.catalog import find
from heldout.engine.evidence.reading_units import read_measure
from heldout.engine.evidence.resolving import Evidence
from heldout.records import Status

PLAIN = ("param-norm", "prod-of-fro", "log-prod-of-fro", "sum-of-fro")
OVER_MARGIN = ("prod-of-fro-over-margin", "sum-of-fro-over-margin", "log-prod-of-fro-over-margin")


@pytest.mark.parametrize("case", ["mlp", "cnn", "transformer", "generalizer"])
@pytest.mark.parametrize("name", PLAIN + OVER_MARGIN)
def test_readings_on_networks(case: str, name: str) -> None:
    members = [getattr(cases, case)(seed=seed) for seed in (0, 1)]
    reading = read_measure(find(name), Evidence(cases.together(members)))
    for member, one in enumerate(members):
        x, y = one.train
        gamma = np.quantile(outputs.margins(outputs.outputs(one.network, x), y), 0.1)
        matrices = oracle.weight_matrices(one.network)
        if name in OVER_MARGIN and gamma <= 0:
            assert reading.statuses[member] is Status.UNDEFINED
        else:
            assert reading.value[member] == pytest.approx(oracle.measures(matrices, matrices, gamma)[name], rel=3e-5)


@pytest.mark.parametrize("name", OVER_MARGIN)
def test_a_negative_margin_is_never_squared(name: str) -> None:
    case = cases.generalizer()
    x, y = case.train
    reading = read_measure(find(name), Evidence(case.subject(train=(x, (y + 1) % cases.CLASSES))))
    assert reading.statuses == (Status.UNDEFINED,)
    assert "not positive" in reading.reasons[0]
