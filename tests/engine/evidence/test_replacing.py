"""Retrains with one example replaced: each against the same training done alone."""

from typing import Any

import numpy as np
import pytest
import torch
from tests import cases

from heldout.engine.evidence import replacing
from heldout.engine.evidence.replacing import Replaced, sets_at_once, swapped
from heldout.engine.evidence.resolving import Evidence
from heldout.engine.population import Population, stream
from heldout.engine.subject import Examples
from heldout.engine.training import Recipe, fit

RECIPE = Recipe(optimizer="sgd", lr=0.05, batch_size=10, steps=30)


def test_one_example_is_replaced_in_each_set() -> None:
    old = Examples({"a": torch.arange(4.0)}, torch.arange(4))
    new = Examples({"a": 10 + torch.arange(3.0)}, 10 + torch.arange(3))
    sets = swapped(old, new, torch.tensor([3, 0]), torch.tensor([1, 2]), keep=True)
    assert sets.y.tolist() == [[0, 1, 2, 3], [0, 1, 2, 11], [12, 1, 2, 3]]
    assert sets.x["a"].tolist() == sets.y.tolist()
    assert len(swapped(old, new, torch.tensor([3]), torch.tensor([1])).y) == 1


def measured(**changes: Any) -> Replaced:
    subject = cases.together([cases.generalizer(0), cases.generalizer(1)])
    found: Replaced = Evidence(subject, recipe=RECIPE.but(**changes), seed=4)["replaced"]
    return found


def test_every_gap_is_the_one_of_networks_trained_alone() -> None:
    found, case = measured(), cases.generalizer(1)
    (x, y), (fresh_x, fresh_y) = case.train, case.test
    out = torch.randperm(60, generator=stream(4, "replaced"))[:16]
    into = torch.randperm(90, generator=stream(4, "replacements"))[:16]

    def trained(x: torch.Tensor, y: torch.Tensor) -> Population:
        with torch.enable_grad():
            return fit(Population(case.initial), (x, y), RECIPE, seed=4, numbers=[1]).final

    base, hits = trained(x, y), []
    assert found.train_error[1] == pytest.approx(float((base(x)[0].argmax(1) != y).double().mean()), abs=0.02)
    for draw in range(5):
        i, j = int(out[draw]), int(into[draw])
        changed, labels = x.clone(), y.clone()
        changed[i], labels[i] = fresh_x[j], fresh_y[j]
        again = trained(changed, labels)

        def loss(network: Population, x: torch.Tensor, y: torch.Tensor) -> float:
            return float(network(x[None])[0, 0].argmax() != y)

        old, new = (x[i], y[i]), (fresh_x[j], fresh_y[j])
        gap = loss(again, *old) - loss(base, *old) + loss(base, *new) - loss(again, *new)
        hits.append(found.gaps[1, draw] == gap / 2)
    assert sum(hits) >= 4  # stacked and alone agree to float tolerance, so that one tie may fall otherwise


def test_where_nothing_is_learnt_nothing_changes() -> None:
    found = measured(lr=0.0)
    assert not found.gaps.any()
    assert not found.changes.any()
    assert (found.train_error > 0.3).all()


def test_pieces_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = measured()
    monkeypatch.setattr(replacing, "BYTES", 7 * 60 * 8 * 4)  # seven sets at a time
    assert sets_at_once(cases.generalizer().subject().train) == 7
    pieces = measured()
    assert (pieces.gaps == whole.gaps).mean() > 0.9
    assert np.abs(pieces.changes - whole.changes).max() < 0.02


def test_a_member_may_have_its_own_rate() -> None:
    found = measured(lr=[0.05, 0.0])
    assert found.changes[0].any()
    assert not found.changes[1].any()
