"""The table that ships, its form and what it promises."""

from importlib.resources import files

import numpy as np
import pandas as pd
import pytest

from heldout.atlas import atlas_table, cells_of, shipped
from heldout.atlas.table import CELL, FILE, HYPER_PARAMETERS
from heldout.catalog import units
from heldout.engine.evidence.resolving import sees_test_data


def test_it_is_small_and_read_once() -> None:
    assert files("heldout.atlas").joinpath(FILE).stat().st_size < 20 * 2**20  # type: ignore[attr-defined]
    assert atlas_table() is atlas_table()


def test_every_row_is_a_network_that_arrived_with_a_risk_that_is_known() -> None:
    table = atlas_table()
    names = [f"hp.{name}" for name in HYPER_PARAMETERS]
    assert not table.duplicated([*names, "seed"]).any()
    assert (table["measure.train-loss"] <= 0.02 + 1e-6).all()
    error = np.sqrt(table.accuracy * (1 - table.accuracy) / table.test_size)
    assert (error <= 0.003).all()
    assert np.allclose(table.gap, table.train_accuracy - table.accuracy, atol=1e-6)


def test_its_measures_are_the_catalog_s_and_saw_no_test_data() -> None:
    known = units("measure")
    measures = [name.removeprefix("measure.") for name in atlas_table() if name.startswith("measure.")]
    assert set(measures) <= set(known)
    assert not [name for name in measures if sees_test_data(known[name].needs)]


def test_shipping_renames_and_drops_what_the_two_parts_share() -> None:
    row = {"task": "a", "width": 2, "depth": 1, "rate": 0.1, "batch": 50, "decay": 0.0, "noise": 0.0, "size": 9, "member": 0,
           "train_accuracy": 1.0, "accuracy": 0.75, "loss": 1.5, "gap": 0.25, "test_size": 4, "updates": 7,
           "measure.m": 2.0, "context.examples": 9.0, "vary": "recipe"}  # fmt: skip
    made = shipped(pd.DataFrame([{**row, "vary": "data"}, row, {**row, "member": 1}]))  # in whatever order they come
    assert made["hp.width"].tolist() == [2, 2]
    assert made.seed.tolist() == [0, 1]
    assert made["measure.m"].dtype == np.float32
    assert set(made.part) == {"recipe"}


def test_a_reading_that_hardly_any_network_has_does_not_ship() -> None:
    base = {name: range(20) for name in (*HYPER_PARAMETERS, "member", "train_accuracy", "accuracy", "loss", "gap", "test_size",
                                         "updates", "vary")}  # fmt: skip
    numbers = [1.0] + 19 * [np.nan]
    made = shipped(pd.DataFrame(base).assign(**{"measure.rare": numbers, "measure.some": 2 * [1.0] + 18 * [np.nan]}))
    assert "measure.rare" not in made
    assert "measure.some" in made


def test_cells_are_architecture_and_data_or_else_configurations() -> None:
    table = pd.DataFrame({f"hp.{name}": [1, 1, 1] for name in CELL}).assign(**{
        "hp.rate": [1, 2, 3],
        "hp.width": [5, 5, 6],
    })
    assert cells_of(table).tolist() == [0, 0, 1]
    assert cells_of(pd.DataFrame({"hp.a": [1, 1, 2], "hp.b": [3, 4, 3], "seed": [0, 1, 2]})).tolist() == [0, 1, 2]


@pytest.mark.parametrize("task", ["one-dimensional-digits", "transformed-digits"])
def test_the_recipes_fill_the_design(task: str) -> None:
    table = atlas_table()
    part = table[(table["hp.task"] == task) & (table.part == "recipe")]
    for name in ("width", "depth", "rate", "batch", "decay"):
        assert part[f"hp.{name}"].nunique() == 3
    assert part.seed.nunique() == 3


def test_an_empty_hyper_parameter_is_a_value_of_its_own() -> None:
    assert cells_of(pd.DataFrame({"hp.a": [1.0, np.nan, np.nan, 2.0]})).tolist() == [0, 2, 2, 1]
