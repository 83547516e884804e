"""From a sweep in a store to a ledger: values that an audit gives, targets, resumption, what diverged, what is lacking."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pytest
import torch
from torch import nn

import heldout
from heldout.catalog import units
from heldout.engine.store import Store
from heldout.engine.sweeping import Sweep, read_sweep
from heldout.engine.training import Plan
from heldout.records import Refusal
from heldout.verbs import population_ledger
from heldout.verbs.population_ledger import measured
from heldout.verbs.populations import networks_of

DRAW = torch.Generator().manual_seed(0)
X, NOISE = torch.randn(40, 4, generator=DRAW), torch.randn(60, 4, generator=DRAW)
Y, UNSEEN = (X[:, 0] > 0).long(), (NOISE[:, 0] > 0).long()
NAMES = ("param-norm", "margin-p10", "fro-distance", "train-loss", "test-loss")
QUICK = {name: units("measure")[name] for name in NAMES}


def network(width: int = 3) -> nn.Module:
    return nn.Sequential(nn.Linear(4, width), nn.ReLU(), nn.Linear(width, 2))


def made(store: Path, **changes: Any) -> Sweep:
    settings = {
        "recipe": heldout.Recipe(steps=20, batch_size=10), "seeds": 2, "test": (NOISE, UNSEEN), "plan": Plan(4),
    }  # fmt: skip
    grid = changes.pop("grid", {"width": [2, 4], "lr": [0.05, 0.2]})
    return heldout.sweep(grid, changes.pop("network", network), (X, Y), store=str(store), **{**settings, **changes})


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sweep")
    made(folder)
    return folder


def test_a_stored_sweep_gives_what_an_audit_of_its_networks_gives(place: Path) -> None:
    sweep = read_sweep(str(place))
    found = measured(networks_of(sweep), QUICK)
    table = found.table
    assert len(table) == 8
    assert {"hp.width", "hp.lr", "seed", "test_size", "loss", "accuracy", "gap"} <= set(table)
    assert found.absent == {"test-loss": population_ledger.SEES}
    assert (table["test_size"] == 60).all()
    contexts = table[["context.examples", "context.classes", "context.inputs"]]
    assert (contexts == [40, 2, 4]).all(axis=None)
    audit = heldout.audit(
        heldout.Subject(sweep.population(1), (X, Y), (NOISE, UNSEEN)),
        only=["param-norm", "margin-p10", "test-accuracy", "accuracy-gap", "test-loss"], progress=False,
    )  # fmt: skip
    own = table[table["hp.width"] == 4]
    for column, name in (("measure.param-norm", "param-norm"), ("measure.margin-p10", "margin-p10"), ("gap", "accuracy-gap"),
                         ("accuracy", "test-accuracy"), ("loss", "test-loss")):  # fmt: skip
        assert own[column].to_numpy() == pytest.approx(audit[name].value)
    assert table["measure.fro-distance"].notna().all()  # initial weights are made again from their seeds
    assert own["hp.lr"].tolist() == [0.05, 0.05, 0.2, 0.2]
    assert own["seed"].tolist() == [0, 1, 0, 1]


def test_readings_are_kept_as_they_are_made(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sweep, told = read_sweep(str(place)), []
    first = measured(networks_of(sweep), QUICK, store=sweep.store, progress=lambda name, share: told.append(share))
    assert told == sorted(told)
    assert told[-1] == pytest.approx(1.0)
    calls: list[str] = []
    original = population_ledger.read_measure

    def counted(unit: Any, evidence: Any) -> Any:
        calls.append(unit.name)
        return original(unit, evidence)

    monkeypatch.setattr(population_ledger, "read_measure", counted)
    again = measured(networks_of(sweep), QUICK, store=sweep.store)
    assert set(calls) == {"test-loss", "test-accuracy", "accuracy-gap"}  # targets alone; every reading was taken up
    pandas.testing.assert_frame_equal(first.table, again.table)
    measured(networks_of(sweep), QUICK, store=sweep.store, seed=1)
    assert "param-norm" in calls


def test_label_noise_and_subsets_are_measured_as_the_networks_saw_them(tmp_path: Path) -> None:
    sweep = made(
        tmp_path, grid={"subset": [10, 20], "label_noise": [0.0, 0.8]}, recipe=heldout.Recipe(steps=200, batch_size=10)
    )
    found = measured(networks_of(sweep), {name: units("measure")[name] for name in ("train-accuracy",)}).table
    few = found[found["hp.subset"] == 10]
    assert (
        few["measure.train-accuracy"].mean() > 0.8
    )  # ten labels, noisy or not, are learnt; the other thirty were never seen
    noisy = found[found["hp.label_noise"] > 0]
    assert noisy["accuracy"].mean() < found[found["hp.label_noise"] == 0]["accuracy"].mean()


def test_networks_that_diverged_are_left_out(tmp_path: Path) -> None:
    sweep = made(tmp_path, grid={"lr": [0.05, 1e25]})
    found = measured(networks_of(sweep), QUICK).table
    assert found["hp.lr"].tolist() == [0.05, 0.05]


def test_what_the_store_lacks_is_asked_for_in_one_sentence(place: Path, tmp_path: Path) -> None:
    made(tmp_path, network=lambda width: network(width), test=None)
    with pytest.raises(Refusal, match=r"factory \(--network module:factory\), nor the test data \(--test\)"):
        read_sweep(str(tmp_path))
    whole = read_sweep(str(tmp_path), network=network, test=(NOISE, UNSEEN))
    assert len(whole.rows)
    with pytest.raises(Refusal, match="not those that the sweep was made with"):
        read_sweep(str(place), data=(X + 1, Y))
    with pytest.raises(Refusal, match="holds no sweep"):
        read_sweep(str(tmp_path / "empty"))
    with pytest.raises(Refusal, match="without test data"):
        networks_of(made(tmp_path / "untested", test=None))
    made(tmp_path, grid={"width": [5]}, network=network)
    with pytest.raises(Refusal, match="holds 2 sweeps"):
        read_sweep(str(tmp_path))
    names = [path.stem for path in (tmp_path / "sweeps").iterdir()]
    assert {len(read_sweep(f"{tmp_path}#{name}", network=network, test=(NOISE, UNSEEN)).names) for name in names} == {
        1,
        2,
    }


def test_a_store_of_an_earlier_version_has_buckets_alone(place: Path, tmp_path: Path) -> None:
    import shutil

    shutil.copytree(place / "buckets", tmp_path / "buckets")
    with pytest.raises(Refusal, match="factory"):
        read_sweep(str(tmp_path))
    old = read_sweep(str(tmp_path), network=network, data=(X, Y), test=(NOISE, UNSEEN))
    assert sorted(old.names) == sorted(read_sweep(str(place)).names)


def test_a_population_is_judged_and_its_ledger_can_be_judged_again(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("heldout.verbs.judging_sources.chosen", lambda *_, **__: (QUICK, {}))
    found = heldout.judge(str(place), criteria=["kendall"], shift=(NOISE + 1, UNSEEN), target="shift-accuracy")
    assert found.target == "shift-accuracy"
    assert found.networks == 8
    again = heldout.judge(found.kept, criteria=["kendall"], target="shift-accuracy")
    assert [verdict.tau for verdict in again.verdicts] == [verdict.tau for verdict in found.verdicts]
    assert found.absent["test-loss"] == population_ledger.SEES
    assert np.isfinite([verdict.tau for verdict in found.verdicts]).all()
    with pytest.raises(Refusal, match="no data from elsewhere"):
        heldout.judge(str(place), target="shift-accuracy")
    assert Store(str(place)).exists
