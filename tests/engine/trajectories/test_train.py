"""Trainings with readings along the way."""

import pytest
import torch
from torch import nn

import heldout
from heldout.engine.trajectories import recorded_steps, train
from heldout.records import Refusal

DRAW = torch.Generator().manual_seed(0)
X = torch.randn(40, 4, generator=DRAW)
Y = (X[:, 0] > 0).long()
RECIPE = heldout.Recipe(lr=0.2, batch_size=20, steps=20)


def population(members: int = 3) -> heldout.Population:
    return heldout.Population.of(lambda: nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 2)), members, seed=1)


def test_readings_are_those_of_an_audit_of_the_networks_as_they_were() -> None:
    names = ("train-loss", "test-accuracy", "fro-distance")
    trajectory = heldout.train(
        population(), (X, Y), RECIPE, test=(X[:10], Y[:10]), record=(*names, "weights"), every=[0, 7, 20], seed=3
    )
    assert sorted(trajectory.weights) == [0, 7, 20]
    for step in (0, 7, 20):
        networks = [trajectory.weights[step].member(i) for i in range(3)]
        initial = [trajectory.initial.member(i) for i in range(3)] if step else None  # at first nothing has moved
        subject = heldout.Subject(networks, (X, Y), (X[:10], Y[:10]), initial=initial)
        audit = heldout.audit(subject, seed=3, progress=False)
        for name in names if step else names[:2]:
            assert trajectory[name].loc[step].tolist() == pytest.approx(audit[name].value.tolist(), abs=1e-6)
    assert len(trajectory.to_pandas()) == 3 * 3 * 3


def test_a_member_that_diverges_is_marked_and_has_no_numbers() -> None:
    recipe = RECIPE.but(lr=[0.1, 1e30, 0.1], momentum=0.0, loss="squared-error", check_every=5)
    trajectory = train(population(), (X, torch.stack([X[:, 0], X[:, 1]], 1)), recipe, every=10)
    assert trajectory.reason == ("steps", "not finite", "steps")
    table = trajectory.to_pandas()
    lost = table[(table.member == 1) & (table.step == 20) & (table.name == "train-loss")]
    assert lost.value.isna().all()
    assert set(lost.status) == {"not-finite"}
    others = table[(table.member != 1) & (table.name == "train-loss")]
    assert others.value.notna().all()


def test_what_cannot_be_recorded_is_refused_before_training() -> None:
    with pytest.raises(Refusal, match="not in the catalog"):
        train(population(), (X, Y), RECIPE, record=("train-los",))
    with pytest.raises(Refusal, match="measures"):
        train(population(), (X, Y), RECIPE, record=("clopper-pearson",))
    with pytest.raises(Refusal, match="every"):
        train(population(), (X, Y), RECIPE, every="often")
    with pytest.raises(Refusal, match="every named steps from 500 on"):
        train(population(), (X, Y), RECIPE, every=[500, 600])
    with pytest.raises(Refusal, match="not recorded"):
        train(population(), (X, Y), RECIPE.but(steps=2))["test-loss"]


def test_label_noise_is_what_the_members_are_read_on() -> None:
    trajectory = train(population(2), (X, Y), RECIPE.but(label_noise=[0.0, 1.0], lr=0.0), every=[0])
    accuracy = trajectory["train-accuracy"].loc[0]
    clean = (trajectory.initial(X).argmax(-1) == Y).double().mean(1)
    assert accuracy[0] == pytest.approx(float(clean[0]))
    noisy = (trajectory.initial(X).argmax(-1) == trajectory.train.y).double().mean(1)
    assert accuracy[1] == pytest.approx(float(noisy[1]))


def test_recorded_steps_reach_the_end() -> None:
    assert recorded_steps("log", 1000)[-3:] == [512, 768, 1000]
    assert recorded_steps([5, 3, 3], 10) == [3, 5]
    assert recorded_steps("log", 0) == [0]


def test_a_word_in_place_of_a_list_and_a_seed_that_is_none_are_refused() -> None:
    with pytest.raises(Refusal, match="record was 'train-loss'"):
        train(population(), (X, Y), RECIPE, record="train-loss")
    with pytest.raises(Refusal, match="numbers was 'ab'"):
        train(population(), (X, Y), RECIPE, numbers="ab")  # type: ignore[arg-type]
