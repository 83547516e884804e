"""The supersample: which of a pair each network saw, and that it is trained on nothing else."""

import torch
from tests import cases

from heldout.engine.evidence.resolving import Evidence
from heldout.engine.evidence.supersample import Supersampled, shown
from heldout.engine.population import Population, stream
from heldout.engine.subject import Examples
from heldout.engine.training import Recipe, fit

RECIPE = Recipe(optimizer="sgd", lr=0.05, batch_size=10, steps=30)


def test_coins_show_one_of_each_pair() -> None:
    both = Examples({"a": torch.arange(8.0).reshape(8, 1)}, torch.arange(8))
    sets = shown(both, torch.tensor([[0, 0, 0, 0], [1, 1, 0, 1]]))
    assert sets.y.tolist() == [[0, 2, 4, 6], [1, 3, 4, 7]]
    assert sets.x["a"][..., 0].tolist() == [[0, 2, 4, 6], [1, 3, 4, 7]]
    assert sets.x_per_member
    assert sets.y_per_member


def test_every_network_is_the_one_trained_alone_on_what_was_shown() -> None:
    case = cases.generalizer(1)
    found: Supersampled = Evidence(cases.together([cases.generalizer(0), case]), recipe=RECIPE, seed=4)["supersampled"]
    assert found.answers.shape == (2, 40, 30, 2)
    assert (found.choices.mean(0) == 0.5).all()
    x, y = case.train
    draw = 7
    places = torch.randperm(60, generator=stream(4, "supersample")).reshape(30, 2)
    assert (y[places].numpy() == found.labels[1]).all()
    seen = places[torch.arange(30), torch.as_tensor(found.choices[draw])]
    with torch.enable_grad():
        alone = fit(Population(case.initial), (x[seen], y[seen]), RECIPE, seed=4, numbers=[1]).final
    answers = alone(x[places.flatten()])[0].argmax(-1).reshape(30, 2)
    assert (answers.numpy() == found.answers[1, draw]).mean() > 0.97  # stacked and alone agree to float tolerance


def test_another_seed_pairs_and_tosses_anew() -> None:
    ours, theirs = (Evidence(cases.generalizer().subject(), recipe=RECIPE, seed=s)["supersampled"] for s in (1, 2))
    assert (ours.choices != theirs.choices).any()
    assert (ours.labels != theirs.labels).any()
    assert (ours.seed, theirs.seed) == (1, 2)
