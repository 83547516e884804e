"""Prediction: truth within intervals for networks of the atlas's kind, abstention elsewhere, sweeps of one's own."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from tests import cases
from torch import Tensor, nn

from heldout.datasets.transformed_digits import transformed_digits
from heldout.engine.population import Population
from heldout.engine.subject import Subject
from heldout.engine.training import Recipe, errors, fit, members_of
from heldout.networks.dense import dense
from heldout.records import Refusal
from heldout.verbs.predict import predict


@cache
def relatives() -> tuple[Subject, Tensor]:
    """Networks of the atlas's kind, of an architecture that it does not hold, and their accuracy on unseen data."""
    train, (x, y) = transformed_digits(train_size=1000, test_size=20000, seed=99)
    initial = Population.of(lambda: dense(inputs=64, widths=(100, 60)), 2, seed=3)
    recipe = Recipe(lr=[0.03, 0.05], batch_size=50, steps=2000, stop="loss", target_loss=0.02)
    final = fit(initial, train, recipe, seed=1).final
    return Subject(final, train, initial=initial), 1 - errors(final, x, y)


def test_the_truth_lies_in_the_intervals_of_networks_like_the_atlas_s() -> None:
    subject, truth = relatives()
    found = predict(subject)
    for row, accuracy in zip(found["accuracy"], truth.tolist(), strict=True):
        assert row.status == "ok"
        assert row.value is not None
        assert row.low <= accuracy <= row.high
        assert row.high - row.low < 0.25
        assert abs(row.value - accuracy) < 0.05
    assert [row.member for row in found["gap"]] == [0, 1]
    assert found.calibrated_on["atlas"] > 300


def test_test_data_are_not_looked_at_and_the_seed_decides() -> None:
    subject, _ = relatives()
    wrong = (torch.zeros(40, 1, 8, 8), torch.zeros(40, dtype=torch.int64))
    with_test = Subject(subject.population, subject.train, wrong, initial=subject.initial)
    assert predict(with_test).to_dict() == predict(subject).to_dict()
    assert predict(subject, seed=1).to_dict() != predict(subject).to_dict()


def test_a_network_outside_of_the_known_ones_gets_no_number_and_every_reason() -> None:
    found = predict(cases.mlp().subject())
    assert {row.status for row in found.rows} == {"abstained"}
    assert all(row.value is None for row in found.rows)
    for words in ("parameters", "training examples", "classes", "numbers an input"):
        assert words in found.rows[0].reason


def test_the_same_sizes_with_strange_readings_are_recognised() -> None:
    subject, _ = relatives()
    population = subject.population
    stretched = {name: 30 * weight if name == "1.weight" else weight for name, weight in population.parameters.items()}
    stretched["3.weight"] = stretched["3.weight"] / 30  # layers re-scaled a long way: the same function, other readings
    stretched["3.bias"] = 0 * stretched["3.bias"]
    moved = Subject(population.with_tensors(stretched, population.buffers), subject.train, initial=subject.initial)
    found = predict(moved)
    assert {row.status for row in found.rows} == {"abstained"}


def test_a_regression_is_not_predicted() -> None:
    found = predict(cases.regression().subject())
    assert {row.status for row in found.rows} == {"not-applicable"}


def own_sweep(configurations: int) -> pd.DataFrame:
    """Networks of the case's sizes, whose gap is known from one reading."""
    draws = np.random.default_rng(0)
    subject = cases.generalizer().subject()
    size, seeds = float(subject.population.size), 3
    rows = configurations * seeds
    hidden = draws.uniform(0, 1, rows)
    return pd.DataFrame({
        "hp.rate": np.repeat(np.arange(configurations), seeds), "seed": np.tile(np.arange(seeds), configurations),
        "measure.params": size, "measure.train-loss": draws.uniform(0, 3, rows), "measure.param-norm": 10 + 30 * hidden,
        "measure.train-accuracy": 1.0, "context.examples": float(len(subject.train)), "context.classes": 3.0,
        "context.inputs": 8.0, "gap": 0.1 + 0.2 * hidden, "accuracy": 0.9 - 0.2 * hidden,
    })  # fmt: skip


def test_a_sweep_of_one_s_own_takes_the_atlas_s_place() -> None:
    subject = cases.generalizer().subject()
    found = predict(subject, ledgers=[own_sweep(40)])
    assert set(found.calibrated_on) == {"ledger 0"}
    assert set(found.measures) <= {"params", "train-loss", "param-norm", "train-accuracy"}
    assert {row.status for row in found.rows} <= {"ok", "abstained"}
    few = predict(
        subject, ledgers=[own_sweep(3)]
    )  # too few cells for an interval: the atlas is asked, which knows no such sizes
    assert {row.status for row in few.rows} == {"abstained"}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"level": 1.0}, "level"),
        ({"level": "high"}, "level"),
        ({"seed": -1}, "seed"),
        ({"ledgers": ["nowhere.parquet"]}, "nowhere"),
        ({"ledgers": [pd.DataFrame({"gap": [0.1], "hp.a": [1]})]}, "accuracy"),
    ],
)
def test_what_cannot_serve_is_refused(changes: dict[str, object], words: str) -> None:
    with pytest.raises(Refusal, match=words):
        predict(cases.mlp().subject(), **changes)  # type: ignore[arg-type]


def test_a_bare_module_is_refused() -> None:
    with pytest.raises(Refusal, match="Subject"):
        predict(nn.Linear(2, 2))  # type: ignore[arg-type]


def test_rows_of_a_target_are_in_the_order_of_members() -> None:
    found = predict(cases.regression().subject())
    assert [row.member for row in found["gap"]] == [0]
    assert replace(found.rows[0], member=5).member == 5


CONTEXTS = ["context.examples", "context.classes", "context.inputs"]


def test_a_ledger_without_sizes_of_the_data_is_not_held_against_a_network() -> None:
    found = predict(cases.generalizer().subject(), ledgers=[own_sweep(40).drop(columns=CONTEXTS)])
    assert set(found.calibrated_on) == {"ledger 0"}
    assert "nan" not in " ".join(row.reason for row in found.rows)


def test_one_member_out_of_range_takes_nothing_from_the_others() -> None:
    subject = cases.generalizer().subject()
    pair = members_of(subject.population, [0, 0])
    wild = {name: torch.stack([weight[0], 1000 * weight[1]]) for name, weight in pair.parameters.items()}
    both = Subject(pair.with_tensors(wild, pair.buffers), subject.train, loss=subject.loss)
    table = own_sweep(40).drop(columns=["measure.param-norm"])
    alone = predict(Subject(members_of(pair, [0]), subject.train, loss=subject.loss), ledgers=[table])
    found = predict(both, ledgers=[table])
    for target in ("accuracy", "gap"):
        assert found[target][0] == alone[target][0]
        assert found[target][1].value is None


def test_ledgers_with_holes_words_and_infinities_serve(tmp_path: Path) -> None:
    table = own_sweep(40)
    table["hp.optimizer"] = [None if row % 6 < 3 else "sgd" for row in range(len(table))]
    table.loc[0, "gap"] = np.nan
    table.loc[1, "accuracy"] = np.nan
    table["measure.path-norm"] = np.inf
    table.to_csv(tmp_path / "own.csv", index=False)
    subject = cases.generalizer().subject()
    found = predict(subject, ledgers=[tmp_path / "own.csv"])
    assert found.calibrated_on == {str(tmp_path / "own.csv"): 118}
    assert "path-norm" not in found.measures


def test_a_ledger_given_twice_is_not_grown_on_and_calibrated_on_at_once() -> None:
    subject, table = cases.generalizer().subject(), own_sweep(12)
    assert predict(subject, ledgers=[table, table]).rows == predict(subject, ledgers=[table]).rows  # 12 configurations


def test_too_few_cells_for_the_level_are_said() -> None:
    found = predict(cases.generalizer().subject(), ledgers=[own_sweep(12)])
    assert "your ledgers have 12 configurations, and 18 could be calibrated on" in found.rows[0].reason
    wide = predict(relatives()[0], level=0.999)
    assert {row.status for row in wide.rows} == {"abstained"}
    assert "where an interval at 99.9 % takes 999" in wide.rows[0].reason


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"measure.param-norm": "large"}, "no number"),
        ({"gap": np.nan}, "no network of the ledger"),
        ({f"measure.{name}": np.nan for name in ("params", "train-loss", "param-norm", "train-accuracy")}, "in common"),
    ],
)
def test_ledgers_that_cannot_serve_are_refused(change: dict[str, object], words: str) -> None:
    with pytest.raises(Refusal, match=words):
        predict(cases.generalizer().subject(), ledgers=[own_sweep(20).assign(**change)])
    with pytest.raises(Refusal, match=r"hp\.<name>"):
        predict(cases.generalizer().subject(), ledgers=[own_sweep(20).drop(columns="hp.rate")])
    with pytest.raises(Refusal, match="was a int"):
        predict(cases.generalizer().subject(), ledgers=[3])  # type: ignore[list-item]
