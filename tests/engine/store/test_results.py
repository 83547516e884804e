"""Results of every kind: each in its folder, listed together, audits as they always were."""

import json
from pathlib import Path

import pytest
from tests.engine.store.test_store import record

from heldout.engine.store import Store, find_result, read_result, result_names, result_runs, write_result, write_study
from heldout.engine.store.readings import record_readings
from heldout.engine.store.summaries import summary
from heldout.engine.store.trajectories import begin_trajectory, finish_trajectory
from heldout.records import Refusal

RUN = "20260131T235959Z-0123456789ab"
VERDICTS = [{"kind": "measure", "words": "underpowered"}, {"kind": "control", "words": "underpowered"}]
BEST = {"value": 0.25, "member": 0, "loss": "0-1 error", "certifies": "this network", "name": "clopper-pearson"}
COEFFICIENT = [{"name": "learning-coefficient", "value": 2.5}]
ACCURACY = {"target": "accuracy", "member": 0, "value": 0.9, "low": 0.8, "high": 0.95}


@pytest.mark.parametrize("url", ["local", "memory://results-of-every-kind"])
def test_every_kind_is_listed_found_and_read(url: str, tmp_path: Path) -> None:
    store = Store(str(tmp_path) if url == "local" else url)
    audit = store.write_audit(record())
    judgement = write_result(store, "judgement", {"ledger": "atlas", "verdicts": VERDICTS, "networks": 40})
    study = write_study(store, {"study": "grokking", "claims": [{"verdict": "reproduced"}] * 2})
    training = begin_trajectory(store, {"name": "mine", "network": "Linear"})
    kinds = {audit: "audit", judgement: "judgement", study: "study", training: "training"}
    assert result_names(store) == kinds
    assert list(result_names(store)) == sorted(kinds)
    rows = {row["run"]: row for row in result_runs(store)}
    assert rows[judgement]["headline"] == "Of 1 measures: underpowered 1."
    assert (rows[judgement]["subject"], rows[judgement]["members"]) == ("atlas", 40)
    assert rows[study]["headline"] == "2 reproduced."
    assert (rows[training]["subject"], rows[training]["finished"]) == ("mine", False)
    assert find_result(store, judgement[-6:]) == ("judgement", judgement)
    assert read_result(store, "audit", audit) == record()
    finish_trajectory(store, training, {"reason": ["steps", "steps"]}, b"")
    assert read_result(store, "training", training)["outcome"] == {"reason": ["steps", "steps"]}
    assert store.names() == [audit]
    assert [row["run"] for row in store.runs()] == [audit]
    with pytest.raises(Refusal, match="run was 'nothing'"):
        find_result(store, "nothing")


@pytest.mark.parametrize("content", ["", '{"a": ', "[1]", "\xff"])
def test_a_record_that_is_broken_is_said_in_its_note(content: str, tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    run = write_result(store, "posterior", {"readings": []})
    (tmp_path / "posteriors" / f"{run}.json").write_text(content, encoding="latin-1")
    with pytest.raises(Refusal, match="copy it again"):
        read_result(store, "posterior", run)
    (row,) = result_runs(store)
    assert "cannot be read" in row["note"]


@pytest.mark.parametrize(
    ("kind", "found", "headline"),
    [
        ("certification", {"bests": [BEST]}, "0-1 error of this network: at most 0.25, by clopper-pearson."),
        ("certification", {"bests": [BEST, {**BEST, "member": 1, "value": 0.125}]},
         "0-1 error of this network (network 1): at most 0.125, by clopper-pearson."),
        ("certification", {"bests": []}, "No certificate is valid here."),
        ("posterior", {"readings": COEFFICIENT, "diagnostics": [{"converged": True}, {"converged": False}]},
         "Learning coefficient 2.5; 1 of 2 samplings converged."),
        ("posterior", {"readings": [], "diagnostics": []}, "No learning coefficient; 0 of 0 samplings converged."),
        ("prediction", {"rows": [ACCURACY]}, "Accuracy on unseen data 0.900 (0.800 to 0.950)."),
        ("prediction", {"rows": [ACCURACY, {**ACCURACY, "value": 0.5}]}, "Accuracy on unseen data 0.500 to 0.900 over 2 networks."),
        ("prediction", {"rows": [{**ACCURACY, "value": None}]}, "It abstains."),
        ("training", {"outcome": {"headline": "it grokked"}}, "it grokked"),
        ("audit", {"verdict": 5}, ""),
        ("study", {}, ""),
    ],
)  # fmt: skip
def test_headlines(kind: str, found: dict, headline: str) -> None:
    assert summary(kind, RUN, found)["headline"] == headline


def test_a_name_that_is_no_time_has_none() -> None:
    assert summary("audit", "99999999T999999Z-0123456789ab", {})["written"] == ""


def test_numbers_of_records_become_readings() -> None:
    certificates = {"certificates": [{"name": "kl", "member": 1, "value": 0.5, "loss": "0-1 error", "status": "valid"}]}
    (row,) = record_readings("certification", RUN, certificates).to_pylist()
    assert (row["run"], row["name"], row["member"], row["value"], row["unit"]) == (RUN, "kl", 1, 0.5, "0-1 error")
    (row,) = record_readings("prediction", RUN, {"rows": [ACCURACY]}).to_pylist()
    assert (row["name"], row["low"], row["high"]) == ("predicted-accuracy", 0.8, 0.95)
    assert record_readings("study", RUN, {"figure": {}}).num_rows == 0
    assert json.dumps(record_readings("audit", RUN, record()).column("value").to_pylist()) == "[1.5, null]"
