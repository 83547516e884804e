"""What a trajectory knows of its own history, and the subject that it becomes."""

import numpy as np
import pytest
import torch
from torch import nn

from heldout.catalog import find
from heldout.engine.evidence.reading_units import read_measure
from heldout.engine.evidence.resolving import Evidence
from heldout.engine.population import Population
from heldout.engine.training import Plan, Recipe
from heldout.engine.trajectories import Trajectory, train

X = torch.randn(60, 4, generator=torch.Generator().manual_seed(0))
DATA = (X, (X[:, 0] > 0).long())
RECIPE = Recipe(lr=0.5, batch_size=12, steps=60)
PLAN = Plan(2)


def trained(record: tuple[str, ...], **settings: object) -> Trajectory:
    population = Population.of(lambda: nn.Linear(4, 2), 2, seed=0)
    return train(population, DATA, RECIPE, record=record, every=2, plan=PLAN, **settings)  # type: ignore[arg-type]


def test_the_subject_of_a_trajectory_has_its_history() -> None:
    trajectory = trained(("train-loss", "gradient-noise"))
    subject = trajectory.subject(test=DATA, name="mine")
    history = subject.history
    assert history is not None
    assert history.epoch == 5
    assert history.steps.tolist() == list(range(0, 61, 2))
    np.testing.assert_array_equal(history.losses, trajectory["train-loss"].to_numpy().T)
    assert subject.name == "mine"
    assert subject.test is not None
    assert subject.initial is trajectory.initial
    assert subject.population is trajectory.final
    noise = trajectory["gradient-noise"].to_numpy()
    at_five = np.exp((np.log(noise[2]) + np.log(noise[3])) / 2)  # between the steps 4 and 6
    read = read_measure(find("first-epoch-gradient-noise"), Evidence(subject))
    assert read.value == pytest.approx(at_five, rel=1e-9)


def test_a_reading_of_the_history_along_the_training_knows_what_went_before_and_now() -> None:
    trajectory = trained(("steps-to-loss-tenth", "train-loss"))
    read, loss = trajectory["steps-to-loss-tenth"], trajectory["train-loss"]
    for member in range(2):
        reached = loss.index[loss[member] <= 0.1][0]
        assert read[member].loc[: reached - 1].isna().all()
        assert (read[member].loc[reached:] <= reached).all()
        assert (read[member].loc[reached:] > reached - 2).all()
        after = read_measure(find("steps-to-loss-tenth"), Evidence(trajectory.subject()))
        assert after.value[member] == pytest.approx(read[member].iloc[-1])


def test_without_recorded_losses_there_is_none() -> None:
    trajectory = trained(("train-accuracy",))
    assert trajectory.history is None
    assert trajectory.subject().history is None
    given = trajectory.subject(history={"member": [0, 1], "step": [0, 0], "train-loss": [1.0, 1.0]}, initial=None)
    assert given.history is not None
    assert given.initial is None
