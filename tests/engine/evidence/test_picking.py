"""Pick-to-Learn on real networks: preference, determinism, and the stop at a size."""

from typing import Any

import pytest
import torch
from tests import cases

from heldout.engine.evidence import picking
from heldout.engine.evidence.picking import must_rebuild, pick
from heldout.engine.evidence.resolving import Evidence
from heldout.engine.evidence.retraining import of_member, trained
from heldout.engine.subject import Examples
from heldout.engine.training import Recipe
from heldout.records import NotApplicable

RECIPE = Recipe(optimizer="adam", lr=1e-2, batch_size=8, steps=40, stop="loss", target_loss=0.1)
MARKS = torch.randperm(60, generator=torch.Generator().manual_seed(3))


def settings(**changes: Any) -> dict[str, Any]:
    return {"recipe": RECIPE, "member": 0, "largest": 30, "together": 4, "seed": 1, **changes}


def run(places: list[int] | None = None, **changes: Any) -> picking.Picks:
    subject = cases.generalizer().subject()
    places = list(range(60)) if places is None else places
    index = torch.tensor(places, dtype=torch.long)
    found = pick(subject, subject.train.take(index), MARKS[index], **settings(**changes))
    return found._replace(order=[places[i] for i in found.order], wrong=[places[i] for i in found.wrong])


def test_every_set_between_leads_to_the_same_picks() -> None:
    whole = run()
    kept = {*whole.order, *whole.wrong}
    others = [place for place in range(60) if place not in kept]
    assert others
    for few in ([], others[::2], others[1::3]):
        again = run(sorted([*kept, *few]))
        assert (again.order, again.wrong) == (whole.order, whole.wrong)
        assert all(torch.equal(again.network.parameters[n], t) for n, t in whole.network.parameters.items())


def test_the_order_of_the_examples_does_not_matter() -> None:
    backwards = run(list(range(60))[::-1])
    assert backwards.order == run().order


def test_the_first_picks_are_the_worst_of_the_untrained_network() -> None:
    subject = cases.generalizer().subject()
    assert subject.initial is not None
    scores = subject.initial(subject.train.x)[0].double()
    true = scores.gather(1, subject.train.y[:, None])[:, 0]
    other = scores.scatter(1, subject.train.y[:, None], -torch.inf).amax(1)
    assert set(run().order[:4]) == set((true - other).argsort()[:4].tolist())


def test_it_stops_at_the_size_and_counts_what_is_left() -> None:
    short = run(largest=6)
    assert len(short.order) == 6
    assert len(set(short.order)) == 6
    outputs = short.network(cases.generalizer().train[0])[0]
    errs = (outputs.argmax(-1) != cases.generalizer().train[1]).nonzero().flatten().tolist()
    assert short.wrong == [place for place in errs if place not in short.order]
    assert len(run(together=1, largest=3).order) == 3


def test_equal_examples_are_told_apart_by_marks() -> None:
    subject = cases.generalizer().subject()
    twice = subject.train.take(torch.tensor([5] * 10))
    marks = torch.tensor([7, 3, 9, 0, 1, 2, 4, 5, 6, 8])
    found = pick(subject, twice, marks, **settings(together=2, largest=2))
    assert found.order in ([3, 4], [])


def test_training_that_is_not_deterministic_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    subject, own = cases.generalizer().subject(), of_member(cases.generalizer().subject().train, 0)
    found = pick(subject, own, MARKS, **settings())
    must_rebuild(subject, own, MARKS, found, **settings())
    with pytest.raises(NotApplicable, match="came out different"):
        must_rebuild(subject, own, MARKS, found, **settings(seed=2))
    calls = iter(range(1000))
    monkeypatch.setattr(picking, "trained", lambda *a, seed, number: trained(*a, seed=next(calls), number=number))
    with pytest.raises(NotApplicable, match="deterministic"):
        _ = Evidence(subject, recipe=RECIPE)["picked"]


def test_the_recipe_reaches_the_training() -> None:
    frozen = run(recipe=RECIPE.but(lr=0.0), largest=8)
    assert len(frozen.order) == 8
    initial = cases.generalizer().initial
    assert all(
        torch.equal(t[0], dict(initial.named_parameters())[n].double()) for n, t in frozen.network.parameters.items()
    )


def test_evidence_of_two_members() -> None:
    subject = cases.together([cases.generalizer(0), cases.generalizer(1)])
    found = Evidence(subject, recipe=RECIPE, seed=5)["picked"]
    assert found.kept.shape == found.errors.shape == (2,)
    assert (found.kept <= 15).all()  # a quarter of sixty
    assert found.examples == 60
    assert len(found.networks) == 2
    assert "seed 5" in found.data["reconstruction"]


def test_batch_norms_are_trained_on_two_examples_at_least() -> None:
    found = Evidence(cases.residual().subject(), recipe=RECIPE, seed=1)["picked"]
    assert found.kept[0] >= 2
    assert "2 picked at a time" in found.data["compression"]


def test_one_wrong_example_brings_the_next_worst_with_it() -> None:
    subject = cases.generalizer().subject()
    assert subject.initial is not None
    x, y = cases.generalizer().train
    scores = subject.initial(x)[0]
    y = scores.argmax(1)  # all right but one
    y[11] = scores[11].argmin()
    found = pick(subject, Examples(x, y), MARKS, **settings(together=3, largest=3))
    true = scores.double().gather(1, y[:, None])[:, 0]
    margins = true - scores.double().scatter(1, y[:, None], -torch.inf).amax(1)
    assert found.order[0] == 11
    assert set(found.order) == set(margins.argsort()[:3].tolist())
