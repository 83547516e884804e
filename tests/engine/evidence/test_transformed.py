"""Predictions on changed inputs against loops."""

import pytest
import torch
from tests import cases
from tests.oracles import outputs as oracle

from heldout.engine.evidence.layouts import layout_of
from heldout.engine.evidence.resolving import Evidence
from heldout.engine.evidence.transforms import pictures_changed, signals_changed
from heldout.engine.population import stream
from heldout.engine.subject import Examples, Subject
from heldout.records import NotApplicable


@pytest.mark.parametrize(("name", "seed"), [("cnn", 0), ("cnn", 3), ("transformer", 0)])
def test_one_network(name: str, seed: int) -> None:
    case = cases.ALL[name]()
    evidence = Evidence(case.subject(), seed=seed)
    found, layout = evidence["transformed_predictions"], layout_of(evidence.subject)
    chosen = torch.randperm(60, generator=stream(seed, "transformed"))
    x = case.train[0][chosen]
    changes = pictures_changed(60, 6, 6, layout, seed) if layout.picture else signals_changed(layout)
    assert found.names == tuple(changes)
    before = oracle.outputs(case.network, x)
    for index, change in enumerate(changes.values()):
        after = oracle.outputs(case.network, change(x))
        for i in range(60):
            assert found.kept[0, i, index] == (before[i].argmax() == after[i].argmax())
            moved = abs(oracle.probabilities(after[i]).max() - oracle.probabilities(before[i]).max())
            assert found.moved[0, i, index].item() == pytest.approx(moved, abs=2e-4)
    assert evidence.subject.population.tally.forward == 60 * (1 + len(changes))


def test_members_with_pictures_of_their_own_and_no_more_than_a_thousand() -> None:
    members = [cases.cnn(seed) for seed in (0, 1)]
    x, y = members[0].train
    train = Examples(torch.stack([x, x.flip(0)]), torch.stack([y, y.flip(0)]), True, True)
    shared = cases.together(members).population
    subject = Subject(shared, train)
    found = Evidence(subject)["transformed_predictions"]
    layout = layout_of(subject)
    for index, member in enumerate(members):
        own = member.subject(train=(train.x[index], train.y[index]), test=None)
        assert layout_of(own) == layout
        alone = Evidence(own)["transformed_predictions"]
        assert torch.equal(found.kept[index], alone.kept[0])
    many = Subject(shared, (torch.zeros(1100, 2, 6, 6), torch.arange(1100) % 3))
    assert layout_of(many).span == 1.0
    assert Evidence(many)["transformed_predictions"].kept.shape == (2, 1000, 7)


def test_what_cannot_be_says_why() -> None:
    with pytest.raises(NotApplicable, match="rows of a table"):
        Evidence(cases.mlp().subject())["transformed_predictions"]
    with pytest.raises(NotApplicable, match="signals"):
        Evidence(cases.transformer().subject())["transformed_pictures"]
    evidence = Evidence(cases.cnn().subject())
    assert evidence["transformed_pictures"] is evidence["transformed_predictions"]
