"""The audit as a whole: its record, its budget, its seeds, and what happens when it is stopped."""

import json
from typing import Any

import numpy as np
import pytest
from tests import cases
from torch import nn

from heldout.catalog import units
from heldout.engine.evidence.resolving import thorough
from heldout.engine.store import Store
from heldout.records import Refusal, Status
from heldout.verbs.audit import audit, chosen
from heldout.verbs.plan import plan
from heldout.verbs.record import COLUMNS, Audit

FIELDS = {
    "member", "name", "family", "value", "low", "high", "standard_error", "unit", "direction",
    "status", "reason", "passes", "seconds",
}  # fmt: skip


@pytest.fixture(scope="module")
def whole() -> Audit:
    return audit(cases.mlp().subject(), progress=False)


def test_every_measure_of_the_catalog_is_read_but_what_is_dear(whole: Audit) -> None:
    dear = [name for name, unit in units("measure").items() if thorough(unit.needs)]
    assert list(whole.readings) == [name for name in units("measure") if name not in dear]
    assert list(chosen((), thorough=True)[0]) == list(units("measure"))
    assert not [reading.name for reading in whole.readings.values() if Status.FAILED in reading.statuses]


def test_the_record_is_the_contract_of_scripts(whole: Audit) -> None:
    record = json.loads(json.dumps(whole.to_dict(), allow_nan=False))
    assert {"heldout", "verdict", "subject", "readings", "certificates", "passes", "seconds"} <= set(record)
    assert all(set(row) == FIELDS for row in record["readings"])
    assert set(record["passes"]) == {"forward", "backward"}
    expected = {
        "clopper-pearson", "kl", "hoeffding", "empirical-bernstein", "betting", "split-kl", "unexpected-bernstein",
    }  # fmt: skip
    assert {row["name"] for row in record["certificates"]} == expected


def test_a_record_reads_back_as_the_audit_that_wrote_it(whole: Audit) -> None:
    record = json.loads(json.dumps(whole.to_dict()))
    assert Audit.from_dict(record).to_dict() == whole.to_dict()


def test_a_record_of_a_newer_schema_is_refused(whole: Audit) -> None:
    with pytest.raises(Refusal, match="upgrade"):
        Audit.from_dict({**whole.to_dict(), "schema": 99})


def test_the_data_frame_has_one_row_a_reading_and_member(whole: Audit) -> None:
    frame = whole.to_pandas()
    assert list(frame.columns) == list(COLUMNS)
    assert len(frame) == len(whole.readings)


@pytest.mark.parametrize("case", [cases.mlp, cases.cnn, cases.transformer], ids=lambda case: case.__name__)
def test_a_complete_audit_stays_within_its_passes(case: Any) -> None:
    subject = case().subject()
    result = audit(subject, progress=False)
    assert 0 < result.passes.forward <= 60
    assert 0 < result.passes.backward <= 8
    # counted where networks are called, not where it is claimed
    assert subject.population.tally.forward == pytest.approx(result.passes.forward * len(subject.train))


def test_the_same_seed_gives_the_same_bits_and_another_seed_other_draws(whole: Audit) -> None:
    again, other = (audit(cases.mlp().subject(), seed=seed, progress=False) for seed in (0, 1))
    drop = ("seconds",)
    ours, theirs = ([{k: v for k, v in row.items() if k not in drop} for row in part.rows()] for part in (whole, again))
    assert ours == theirs
    assert other["pacbayes-flatness"].rows()[0]["value"] != whole["pacbayes-flatness"].rows()[0]["value"]


def test_only_the_named_readings_are_computed() -> None:
    result = audit(cases.mlp().subject(), only=["param-norm", "params"], progress=False)
    assert list(result.readings) == ["param-norm", "params"]
    assert result.passes.forward == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"only": ["no-such-reading"]},
        {"only": "param-norm"},
        {"delta": 1.5},
        {"delta": 0.0},
        {"delta": float("nan")},
        {"delta": "0.05"},
        {"seed": "0"},
        {"seed": -1},
        {"seed": 0.5},
    ],
)
def test_bad_settings_are_refused_in_a_sentence(wrong: dict[str, Any]) -> None:
    with pytest.raises(Refusal, match="expected"):
        audit(cases.mlp().subject(), progress=False, **wrong)


def test_a_network_in_place_of_a_subject_is_refused() -> None:
    for verb in (audit, plan):
        with pytest.raises(Refusal, match="subject was a Linear"):
            verb(nn.Linear(2, 2))  # type: ignore[arg-type]


def test_settings_of_numpy_are_plain_numbers_in_the_record() -> None:
    result = audit(cases.mlp().subject(), seed=np.int64(3), delta=np.float32(0.5), only=["params"], progress=False)  # type: ignore[arg-type]
    assert json.loads(json.dumps(result.to_dict()))["seed"] == 3


def test_an_unknown_reading_names_its_neighbours(whole: Audit) -> None:
    with pytest.raises(Refusal, match="param-norm"):
        whole["param-nrom"]


def test_an_audit_that_was_stopped_goes_on_where_it_was(whole: Audit, tmp_path: Any) -> None:
    store = str(tmp_path / "runs")
    made: list[str] = []

    def stop(name: str, _share: float) -> None:
        made.append(name)
        if len(made) == 25:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        audit(cases.mlp().subject(), progress=stop, store=store)
    assert Store(store).names() == []
    rest: list[str] = []
    result = audit(cases.mlp().subject(), progress=lambda name, _share: rest.append(name), store=store)
    assert len(rest) == len(whole.readings) - 25
    values = [(row["name"], row["value"], row["standard_error"]) for row in result.rows()]
    assert values == [(row["name"], row["value"], row["standard_error"]) for row in whole.rows()]
    assert Store(store).names() == [result.run]
    assert not (tmp_path / "runs" / "parts" / "any").exists()
    assert not list((tmp_path / "runs" / "parts").glob("*/*"))


def test_parts_of_another_subject_are_not_taken_up(tmp_path: Any) -> None:
    store = str(tmp_path / "runs")

    def stop(_name: str, _share: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        audit(cases.mlp(seed=1).subject(), progress=stop, store=store, only=["params", "param-norm"])
    rest: list[str] = []
    audit(cases.mlp().subject(), progress=lambda name, _: rest.append(name), store=store, only=["params", "param-norm"])
    assert sorted(rest) == ["param-norm", "params"]
