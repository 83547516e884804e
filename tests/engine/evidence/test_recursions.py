"""Evidence of the recursive bound: which posterior saw which part, and what its shares are shares of."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from tests import cases

from heldout.engine.evidence import drawing
from heldout.engine.evidence import recursions as room
from heldout.engine.evidence.posteriors import FROM_INITIAL
from heldout.engine.evidence.resolving import Evidence
from heldout.engine.posteriors import divergence, per_example
from heldout.engine.training import Recipe
from heldout.records import NotApplicable

RECIPE = Recipe(optimizer="adam", lr=0.02, steps=30, batch_size=64)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Short trainings and few draws."""
    monkeypatch.setattr(room, "FROM_INITIAL", replace(FROM_INITIAL, steps=5))
    monkeypatch.setattr(room, "LATER", replace(room.LATER, steps=5))
    monkeypatch.setattr(drawing, "EPOCHS", 1)
    monkeypatch.setattr(drawing, "EVALUATIONS", 4000)


def evidence(**changes: Any) -> Evidence:
    """Of two softmax regressions on sixty-four examples: sixty of the case, four of its test data."""
    (x, y), (x_more, y_more) = cases.linear().train, cases.linear().test
    given = {"train": (torch.cat([x, x_more[:4]]), torch.cat([y, y_more[:4]])), **changes}
    return Evidence(cases.together([cases.linear(seed=seed) for seed in range(2)], **given), recipe=RECIPE)


def test_the_parts_are_disjoint_and_geometric() -> None:
    parts = evidence()["recursive_parts"]
    assert [len(part) for part in parts] == [8, 8, 16, 32]
    assert sorted(torch.cat(parts).tolist()) == list(range(64))


def test_a_posterior_has_not_seen_the_later_parts() -> None:
    asked = evidence()
    x, y = asked.subject.train.x, asked.subject.train.y
    for part in range(1, 4):
        changed = y.clone()
        later = torch.cat(asked["recursive_parts"][part:])
        changed[later] = (changed[later] + 1) % 3
        other = evidence(train=(x, changed))
        same = [
            torch.equal(
                *(e["recursive_posteriors"][step].posterior.centre.parameters["weight"] for e in (asked, other))
            )
            for step in range(4)
        ]
        assert same == [step < part for step in range(4)]


def test_each_posterior_is_the_prior_of_the_next() -> None:
    asked = evidence()
    posteriors, found = asked["recursive_posteriors"], asked["recursion"]
    for step in range(1, 4):
        nats = divergence(posteriors[step].posterior, posteriors[step - 1].posterior)
        assert found.divergence[step].tolist() == nats.tolist()
    assert found.price.tolist() == posteriors[0].price.tolist()
    assert found.examples == (64, 56, 48, 32)


def test_the_shares_are_those_of_the_excess_loss() -> None:
    asked = evidence()
    found, posteriors = asked["recursion"], asked["recursive_posteriors"]
    left = asked.subject.train.take(torch.cat(asked["recursive_parts"][3:]))
    draws = found.draws[3] // 32
    now, then = (
        per_example(posteriors[step].posterior, left, draws=draws, binary=False, seed=0, purpose=words).double()
        for step, words in ((3, "recursion 3"), (2, "recursion 3, predecessor"))
    )
    excess = (now - 0.5 * then).flatten(1).numpy()
    for place, least in enumerate((0.0, 0.5, 1.0)):
        assert found.shares[2, place].tolist() == pytest.approx((excess >= least).mean(1).tolist())
    total = -0.5 + 0.5 * found.shares[2, 0] + 0.5 * found.shares[2, 1] + 0.5 * found.shares[2, 2]
    assert total.tolist() == pytest.approx(excess.mean(1).tolist())


def test_what_it_cannot_have() -> None:
    x, y = cases.linear().train
    with pytest.raises(NotApplicable, match="there are only 56 training examples; pass at least 64"):
        evidence(train=(x[:56], y[:56]))["recursion"]
    with pytest.raises(NotApplicable, match="same input"):
        evidence(train=(torch.cat([x, x]), torch.cat([y, y])))["recursion"]
    allowed = evidence(train=(torch.cat([x, x]), torch.cat([y, y])), duplicates="allow")
    assert np.isfinite(allowed["recursion"].shares).all()
