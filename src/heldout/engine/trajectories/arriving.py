"""Networks that arrived at a training loss, gathered over trainings that differ in what a stack shares, such as the batch size."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from torch import Tensor, cat

from heldout.engine.population import Population
from heldout.engine.subject.history import History
from heldout.engine.training import joined, members_of
from heldout.engine.trajectories.trajectory import Trajectory


class Arm(NamedTuple):
    """Networks of one batch size, trained together.

    Attributes:
        trajectory: Their training.
        settings: Rate, decay and noise of each, and the number of its training set.
        batch: Examples a step.
    """

    trajectory: Trajectory
    settings: list[dict[str, float]]
    batch: int


class Arrived(NamedTuple):
    """Networks that reached the training loss, all of one architecture and training set.

    Attributes:
        final: Trained.
        initial: Before training.
        labels: As each saw them, ``[M, N]``.
    """

    final: Population
    initial: Population
    labels: Tensor


def gathered(arms: Sequence[Arm], number: int) -> tuple[Arrived | None, dict[str, list[float]]]:
    """The networks of one training set, over all batch sizes, that arrived.

    Args:
        arms: One a batch size.
        number: Of the training set.

    Returns:
        They, or None; and their hyper-parameters by name.
    """
    parts: list[Arrived] = []
    rows: list[dict[str, float]] = []
    for arm in arms:
        here, steps = arrived_in(arm, number), arm.trajectory.step
        if here:
            final, initial = (members_of(whole, here) for whole in (arm.trajectory.final, arm.trajectory.initial))
            parts.append(Arrived(final, initial, arm.trajectory.train.y[here]))
            rows += [{"batch": arm.batch, "updates": steps[m], **arm.settings[m]} for m in here]
    if not parts:
        return None, {}
    together = Arrived(
        joined([part.final for part in parts]),
        joined([part.initial for part in parts]),
        cat([part.labels for part in parts]),
    )
    return together, {key: [row[key] for row in rows] for key in ("rate", "batch", "decay", "noise", "updates")}


def arrived_in(arm: Arm, number: int) -> list[int]:
    """Places of the members of one training set that reached the training loss.

    Args:
        arm: Networks.
        number: Of the training set.

    Returns:
        Their places in the arm.
    """
    reasons = arm.trajectory.reason
    return [m for m, own in enumerate(arm.settings) if own["number"] == number and reasons[m] == "loss"]


def history_in(arm: Arm, members: Sequence[int]) -> History | None:
    """How the training of some members went.

    Args:
        arm: Networks.
        members: Their places.

    Returns:
        Their history; None if nothing was recorded.
    """
    whole = arm.trajectory.history
    if whole is None:
        return None
    noise = whole.gradient_noise
    return replace(whole, losses=whole.losses[members], gradient_noise=None if noise is None else noise[members])
