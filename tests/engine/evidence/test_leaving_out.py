"""Leaving out: every network lacks one example, and is the one trained on the others alone."""

import torch
from tests import cases

from heldout.engine.evidence.leaving_out import LeftOut, without
from heldout.engine.evidence.resolving import Evidence
from heldout.engine.population import Population, stream
from heldout.engine.subject import Examples
from heldout.engine.training import Recipe, fit

RECIPE = Recipe(optimizer="sgd", lr=0.05, batch_size=10, steps=30)


def test_sets_lack_one() -> None:
    every = Examples({"a": torch.arange(4.0).reshape(4, 1)}, torch.arange(4))
    sets = without(every, torch.tensor([0, 2]))
    assert sets.y.tolist() == [[1, 2, 3], [0, 1, 3]]
    assert sets.x["a"][..., 0].tolist() == [[1, 2, 3], [0, 1, 3]]
    assert sets.x_per_member
    assert sets.y_per_member


def test_every_network_is_the_one_trained_without_that_example() -> None:
    case = cases.generalizer(1)
    found: LeftOut = Evidence(cases.together([cases.generalizer(0), case]), recipe=RECIPE, seed=4)["left_out"]
    assert found.answers.shape == (2, 60, 60)
    assert found.seed == 4
    assert found.out.tolist() == list(range(60))
    x, y = case.train
    places = torch.randperm(60, generator=stream(4, "left-out"))
    assert (y[places].numpy() == found.labels[1]).all()
    kept = torch.cat([places[:7], places[8:]])
    with torch.enable_grad():
        alone = fit(Population(case.initial), (x[kept], y[kept]), RECIPE, seed=4, numbers=[1]).final
    answers = alone(x[places])[0].argmax(-1)
    assert (answers.numpy() == found.answers[1, 7]).mean() > 0.97  # stacked and alone agree to float tolerance


def test_hidden_and_totals() -> None:
    known = LeftOut(
        torch.tensor([[[0, 1], [2, 2]]]).numpy(), torch.tensor([[0, 2]]).numpy(), torch.tensor([1, 0]).numpy()
    )
    assert known.hidden.tolist() == [[1, 1]]
    assert known.totals.tolist() == [[1, 1]]
