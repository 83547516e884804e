"""Summaries of influences by hand, and how they behave on networks."""

import numpy as np
import pytest
import torch
from tests.subjects import evidence

from heldout.catalog import find
from heldout.engine.evidence.influences import Influences
from heldout.engine.evidence.reading_units import read_measure, read_profile
from heldout.measures.influence import (
    example_influences,
    influential_share,
    largest_influence,
    listed,
    mean_self_influence,
)


def of(values: list[float], *, settled: bool = True, total: int = 0) -> Influences:
    n = len(values)
    marks = torch.full((n,), settled)
    return Influences(torch.tensor(values, dtype=torch.float64), torch.arange(n), marks, total or n)


def test_the_standard_error_is_that_of_a_draw_without_replacement() -> None:
    values = [1.0, 2.0, 4.0, 7.0]
    found = mean_self_influence(of(values, total=16))
    assert found.value.item() == 3.5
    assert found.standard_error.item() == pytest.approx(np.std(values, ddof=1) / 2 * 0.75**0.5)
    assert mean_self_influence(of(values)).standard_error.item() == 0.0


@pytest.mark.parametrize("measure", [mean_self_influence, influential_share, largest_influence])
def test_what_has_not_settled_is_withdrawn(measure: object) -> None:
    assert callable(measure)
    assert not measure(of([1.0, 2.0], settled=False)).converged
    assert measure(of([1.0, 2.0])).converged


def test_shares_of_one_and_of_all_and_of_none() -> None:
    assert influential_share(of([0.0, 0.0, -5.0, 0.0])).value.item() == pytest.approx(0.25)
    assert influential_share(of([2.0, -2.0, 2.0, 2.0])).value.item() == pytest.approx(1.0)
    assert influential_share(of([3e-200, 4e-200])).value.item() == pytest.approx(49 / 25 / 2)
    assert influential_share(of([0.0, 0.0])).value.isnan()


def test_the_table_has_both_ends() -> None:
    values = torch.arange(60.0).expand(9, 60)
    found = Influences(values, torch.arange(60).expand(9, 60), torch.ones(9, 60, dtype=torch.bool), 60)
    table = example_influences(found)
    assert sorted(set(table["member"].tolist())) == list(range(8))
    assert table["example"][:50].tolist() == [*range(59, 34, -1), *range(24, -1, -1)]
    assert len(listed(found, "influence", 60)["example"]) == 8 * 60


@pytest.mark.slow
def test_random_labels_are_memorised() -> None:
    """A network fitted to random labels rests more on each single example than the same one fitted to true ones."""
    good, bad = (read_measure(find("mean-self-influence"), evidence(case)) for case in ("generalizer", "memorizer"))
    assert (bad.value > good.value).all()
    rows = read_profile(find("self-influence"), evidence("memorizer")).rows
    assert np.mean([row["self_influence"] for row in rows]) == pytest.approx(float(bad.value.mean()))
