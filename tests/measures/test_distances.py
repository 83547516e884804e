"""Distances from the weights at initialisation against NumPy."""

import copy

import pytest
from tests import cases
from tests.oracles import norms as oracle

from heldout.catalog import find
from heldout.engine.evidence.reading_units import read_measure
from heldout.engine.evidence.resolving import Evidence
from heldout.records import Status

NAMES = ("fro-distance", "dist-spec-init", "relative-distance")


@pytest.mark.parametrize("case", ["mlp", "cnn", "transformer"])
@pytest.mark.parametrize("name", NAMES)
def test_readings_on_networks(case: str, name: str) -> None:
    members = [cases.ALL[case](seed=seed) for seed in (0, 1)]
    reading = read_measure(find(name), Evidence(cases.together(members)))
    for member, one in enumerate(members):
        final, initial = oracle.weight_matrices(one.network), oracle.weight_matrices(one.initial)
        assert reading.value[member] == pytest.approx(oracle.measures(final, initial, 1.0)[name], rel=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_a_short_way_is_not_lost_in_rounding(name: str) -> None:
    case = cases.mlp()
    near = copy.deepcopy(case.network)
    for parameter in near.parameters():
        parameter.data *= 1 + 1e-5
    final, initial = oracle.weight_matrices(near), oracle.weight_matrices(case.network)
    reading = read_measure(find(name), Evidence(case.subject(network=near, initial=case.network)))
    assert reading.value.item() == pytest.approx(oracle.measures(final, initial, 1.0)[name], rel=1e-5)
    assert reading.value.item() > 0


@pytest.mark.parametrize("name", NAMES)
def test_without_initial_weights_there_is_no_distance(name: str) -> None:
    reading = read_measure(find(name), Evidence(cases.mlp().subject(initial=None)))
    assert reading.statuses == (Status.NOT_APPLICABLE,)
    assert "initial=untrained_network" in reading.reasons[0]
