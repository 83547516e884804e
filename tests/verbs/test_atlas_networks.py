"""The atlas's networks trained again: those of the study, with the same numbers; a user's measure joins the shipped table."""

from typing import Any

import pandas as pd
import pytest
import torch

import heldout
from heldout.catalog import units
from heldout.verbs import populations
from heldout.verbs.atlas_networks import atlas_networks
from heldout.verbs.population_ledger import measured

GRID = {"task": ["one-dimensional-digits"], "width": [8], "depth": [1], "vary": ["quick"], "seeds": 2, "test_size": 60,
        "steps": 60, "target_loss": 2.2, "measures": "named"}  # fmt: skip
NAMES = ("rate", "batch", "decay", "noise", "size")


@pytest.fixture(scope="module")
def study() -> pd.DataFrame:
    plain = {key: value[0] if isinstance(value, list) else value for key, value in GRID.items()}
    return pd.DataFrame(units("study")["atlas"].function(**plain, seed=0))


def test_they_are_the_networks_of_the_study(study: pd.DataFrame) -> None:
    found = measured(atlas_networks(GRID), {"log-prod-of-spec": units("measure")["log-prod-of-spec"]}).table
    keys = ["seed", *(f"hp.{name}" for name in NAMES)]
    own = study.rename(columns={"member": "seed", **{name: f"hp.{name}" for name in NAMES}})
    both = own.merge(found, on=keys, suffixes=("", "_again"), validate="one_to_one")
    assert len(both) == len(study) == len(found) > 4
    assert both["gap_again"].to_numpy() == pytest.approx(both["gap"].to_numpy(), abs=1e-6)
    assert both["measure.log-prod-of-spec_again"].to_numpy() == pytest.approx(
        both["measure.log-prod-of-spec"].to_numpy(), rel=1e-5
    )


def test_a_measure_of_the_user_s_own_joins_the_shipped_table(
    study: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    hyper = {name: f"hp.{name}" for name in NAMES}
    table = study.rename(columns={"member": "seed", **hyper}).assign(**{
        "hp.task": GRID["task"][0],
        "hp.width": 8,
        "hp.depth": 1,
    })  # type: ignore[index]
    monkeypatch.setattr(populations, "NAMED", {"atlas": (lambda: table, lambda: atlas_networks(GRID))})

    def largest_logit(logits: torch.Tensor) -> Any:
        return logits.amax()

    found = heldout.judge("atlas", measures=[largest_logit], criteria=["kendall"])
    kinds = {verdict.measure for verdict in found.verdicts}
    assert {"largest-logit", "log-prod-of-spec"} <= kinds
    assert found.networks == len(study)


def test_the_shipped_table_can_be_judged() -> None:
    found = heldout.judge("atlas", criteria=["kendall"])
    assert found.networks > 300
    assert {"width", "rate", "size"} <= set(found.axes)
    assert found.ceiling is not None
    assert found.ceiling > 0.9
