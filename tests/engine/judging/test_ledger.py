"""Ledgers: what is read, what is refused, parts without gaps, directions."""

from pathlib import Path

import numpy as np
import pandas
import pytest

from heldout.engine.judging.ledger import as_ledger, read_ledger
from heldout.records import Direction, Refusal

TABLE = pandas.DataFrame({
    "hp.width": [8, 8, 16, 16, 32],
    "hp.optimizer": ["sgd", "sgd", "adam", "sgd", "adam"],
    "seed": [0, 1, 0, 0, 0],
    "measure.norm": [1.0, 2, 3, 4, 5],
    "measure.margin": [5.0, np.nan, 3, 2, np.inf],
    "gap": [0.1, 0.2, 0.3, np.nan, 0.5],
    "accuracy": [0.9, 0.8, 0.7, 0.6, 0.5],
    "test_size": [1000] * 5,
})


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_file_is_read_and_networks_without_a_target_are_left_out(tmp_path: Path, form: str) -> None:
    path = str(tmp_path / f"ledger.{form}")
    if form == "csv":
        TABLE.to_csv(path, index=False)
    else:
        TABLE.to_parquet(path)
    ledger = read_ledger(path, directions={"margin": Direction.HIGHER_IS_BETTER})
    assert ledger.errors.tolist() == [0.1, 0.2, 0.3, 0.5]
    assert ledger.design.axes == ("width", "optimizer")
    assert ledger.test_size == 1000
    assert ledger.design.configurations.tolist()[:2] == [ledger.design.configurations[0]] * 2


def test_accuracy_is_turned_into_error() -> None:
    assert as_ledger(TABLE, target="accuracy").errors.tolist() == [-0.9, -0.8, -0.7, -0.6, -0.5]
    assert as_ledger(TABLE.drop(columns="test_size")).test_size == np.inf


def test_parts_have_no_gaps_and_larger_promises_more_error() -> None:
    ledger = as_ledger(TABLE, target="accuracy", directions={"margin": Direction.HIGHER_IS_BETTER})
    parts = {tuple(part.measures): part for part in ledger.complete()}
    assert parts["norm",].oriented().tolist() == [[1, 2, 3, 4, 5]]
    assert parts["margin",].oriented().tolist() == [[-5, -3, -2]]
    assert parts["margin",].design.networks == 3


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda t: t.drop(columns="gap"), "no column 'gap'"),
        (lambda t: t.drop(columns=["hp.width", "hp.optimizer"]), "no hyper-parameters"),
        (lambda t: t.drop(columns=["measure.norm", "measure.margin"]), "no measures"),
        (lambda t: t.assign(gap=["a"] * 5), "what is no number"),
        (lambda t: t[:2], "2 networks with a gap"),
    ],
)
def test_what_is_no_ledger_is_refused(change, said: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(Refusal, match=said):
        as_ledger(change(TABLE))


def test_files_that_are_none_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(b"no table")
    for path, said in ((str(tmp_path / "b.csv"), "check the path"), (str(tmp_path / "a.parquet"), "cannot be read")):
        with pytest.raises(Refusal, match=said):
            read_ledger(path)
    with pytest.raises(Refusal, match="--target was 'luck'"):
        as_ledger(TABLE, target="luck")


def test_no_test_examples_are_refused() -> None:
    table = pandas.DataFrame({"hp.a": [1, 1, 2, 2], "measure.m": [1.0, 2, 3, 4], "gap": [0.1, 0.2, 0.3, 0.4]})
    with pytest.raises(Refusal, match="test_size of 0"):
        as_ledger(table.assign(test_size=[100, 0, 100, 100]))


def test_a_gap_of_losses_has_no_binomial_noise() -> None:
    table = pandas.DataFrame({"hp.a": [1, 1, 2, 2], "measure.m": [1.0, 2, 3, 4], "gap": [0.1, 0.2, 0.3, 0.4]})
    table = table.assign(test_size=100, loss=[1.0, 2.0, 3.0, 4.0])
    assert np.isnan(as_ledger(table).noise)
    assert as_ledger(table.assign(accuracy=0.5)).noise == pytest.approx(0.0025)
