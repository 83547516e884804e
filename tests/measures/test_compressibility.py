"""Prunability: the enclosure it ends with, its statuses, its curve."""

import pytest
from tests import cases
from tests.oracles import perturbation as oracle

from heldout.catalog import find
from heldout.engine.evidence.reading_units import read_measure, read_profile
from heldout.engine.evidence.resolving import Evidence
from heldout.records import Status


@pytest.mark.parametrize("name", ["mlp", "cnn", "generalizer"])
def test_the_value_passes_and_the_lower_end_fails(name: str) -> None:
    members = [getattr(cases, name)(seed=seed) for seed in range(3)]
    reading = read_measure(find("prunability"), Evidence(cases.together(members)))
    for index, case in enumerate(members):
        network = oracle.folded(case.network) if name == "cnn" else case.network
        errors = oracle.errors_when_pruned(network, *case.train)
        total = len(errors) - 1
        if errors[-1] > 0.1:
            assert reading.statuses[index] is Status.UNDEFINED
            assert "above 0.1" in reading.reasons[index]
        else:
            assert reading.statuses[index] is Status.OK
            assert errors[round(reading.value[index] * total)] <= 0.1
            assert errors[round(reading.low[index] * total)] > 0.1
            assert reading.low[index] < reading.high[index] == reading.value[index]


def test_memorizing_takes_more_weights() -> None:
    few, many = (
        read_measure(find("prunability"), Evidence(make().subject())) for make in (cases.generalizer, cases.memorizer)
    )
    assert few.value.item() < many.value.item()


def test_the_curve() -> None:
    evidence = Evidence(cases.together([cases.generalizer(seed) for seed in range(2)]))
    rows = read_profile(find("pruning-curve"), evidence).rows
    found = evidence["pruning"]
    assert [row["member"] for row in rows] == [0] * 9 + [1] * 9
    assert [row["kept"] for row in rows] == found.fractions.flatten().tolist()
    assert [row["error"] for row in rows] == found.errors.flatten().tolist()
    assert rows[8]["kept"] == 1.0
    assert rows[8]["error"] == evidence["errors"][0].mean().item()


def test_not_for_regressions() -> None:
    evidence = Evidence(cases.regression().subject())
    assert read_measure(find("prunability"), evidence).statuses == (Status.NOT_APPLICABLE,)
    assert read_profile(find("pruning-curve"), evidence).rows == ()


def test_prunability_by_the_loss_and_at_random() -> None:
    members = [cases.mlp(seed=seed) for seed in range(2)]
    evidence = Evidence(cases.together(members))
    found = evidence["loss_pruning"]
    largest, random = (read_measure(find(name), evidence) for name in ("prunability-by-loss", "random-prunability"))
    assert largest.value.tolist() == largest.high.tolist() == found.kept.tolist()
    assert largest.low.tolist() == found.failing.tolist()
    assert random.value.tolist() == pytest.approx(found.random.mean(1).tolist())
    expected = found.random.numpy().std(1, ddof=1) / 5**0.5
    assert random.standard_error.tolist() == pytest.approx(expected.tolist())
    assert (largest.value < random.value).all()  # the smallest weights are missed least
