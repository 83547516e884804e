"""Stopping: how often it is too early, that it comes where it should, each test by its closed form."""

import numpy as np
import pytest

from heldout.engine.watching.stopping import Stopping, surely_below
from heldout.records import Refusal


def run(stopping: Stopping, table: np.ndarray) -> int | None:
    for step, losses in enumerate(table):
        stopping.update(step, losses)
    return stopping.stopped


def test_while_nothing_changes_it_stops_with_at_most_delta() -> None:
    """200 runs of 30 checkpoints of one risk, delta 0.2: P[Bin(200, 0.2) > 70] < 1e-6; plain patience stops every run."""
    generator = np.random.default_rng(0)
    wrong = (generator.random((200, 30, 60)) < 0.3).astype(float)
    stopped = [run(Stopping(patience=1, delta=0.2), table) for table in wrong]
    assert sum(step is not None for step in stopped) <= 70
    means = wrong.mean(-1)
    plain = [(np.diff(np.minimum.accumulate(row)) == 0) for row in means]
    assert all("TTT" in "".join("T" if same else "F" for same in row) for row in plain)


def test_losses_without_a_range_too() -> None:
    """Student's test on 100 losses: 100 runs at delta 0.2; P[Bin(100, 0.2) > 42] < 1e-6."""
    generator = np.random.default_rng(1)
    losses = generator.normal(size=(100, 12, 100))
    stopped = [run(Stopping(patience=1, delta=0.2, checkpoints=11), table) for table in losses]
    assert 0 < sum(step is not None for step in stopped) <= 42


def test_it_stops_after_the_best_and_names_it() -> None:
    generator = np.random.default_rng(2)
    risks = 0.1 + 0.02 * np.abs(np.arange(30) - 12)
    wrong = (generator.random(2000) < risks[:, None]).astype(float)  # the same examples are hard for all
    stopping = Stopping(patience=3)
    stopped = run(stopping, wrong)
    assert stopped is not None
    assert 14 < stopped <= 18
    assert stopping.best == 12
    assert "none of the 3 checkpoints after step" in stopping.why
    assert stopping.update(99, wrong[0])  # once it has stopped it stays so
    assert stopping.stopped == stopped


@pytest.mark.parametrize("loss_range", [None, (0.0, 8.0)])
def test_a_plateau_ends_only_if_an_improvement_is_worth_naming(loss_range: tuple[float, float] | None) -> None:
    generator = np.random.default_rng(3)
    losses = np.clip(generator.exponential(size=1000) + 0.02 * generator.normal(size=(12, 1000)), 0, 8)
    assert run(Stopping(patience=2, least=0.0, loss_range=loss_range, delta=0.001), losses) is None
    assert run(Stopping(patience=2, least=0.2, loss_range=loss_range), losses) == 2


def test_errors_with_a_least_improvement_are_bet_on() -> None:
    same = (np.random.default_rng(0).random(2000) < 0.2).astype(float)
    assert surely_below(same, same, 0.05, 0.05)
    assert not surely_below(same, same, 0.0, 0.05)
    assert not surely_below(same, same * 0, 0.05, 0.05)


def test_student_by_hand() -> None:
    """Gains -1, -2, -3: mean -2, standard error 1/sqrt(3), t(2) at 0.05 is 2.92: upper end -2 + 1.686 < 0."""
    before, now = np.zeros(3), np.array([1.0, 2.0, 3.0])
    assert surely_below(before, now, 0.0, 0.05)
    assert not surely_below(before, now, -0.3142 - 0.001, 0.05)
    assert surely_below(before, now, -0.3142 + 0.001, 0.05)


def test_a_loss_that_is_not_finite_is_worse_than_any() -> None:
    broken = np.array([np.nan, 1.0])
    assert surely_below(np.ones(2), broken, 0.0, 0.01)
    assert not surely_below(broken, np.ones(2), 0.0, 0.01)
    assert not surely_below(np.ones(2), broken, 0.0, 0.0)  # nothing is left to spend


def test_planned_checkpoints_share_delta_and_then_nothing_is_left() -> None:
    good, bad = np.zeros(6), np.ones(6)  # six became wrong: 1/64
    assert run(Stopping(patience=1, delta=0.05, checkpoints=3), np.stack([good, bad])) == 1  # 0.0167
    assert run(Stopping(patience=1, delta=0.05, checkpoints=4), np.stack([good, bad])) is None  # 0.0125
    late = np.stack([good, good, good, bad])
    assert run(Stopping(patience=1, delta=0.05, checkpoints=2), late) is None
    assert run(Stopping(patience=1, delta=0.5), late) == 3  # 0.5 / 12
    assert run(Stopping(patience=1, delta=0.15), late) is None  # 0.0125


def test_every_checkpoint_of_the_patience_must_agree() -> None:
    good, bad = np.zeros(20), np.ones(20)
    assert run(Stopping(patience=2), np.stack([good, bad, good, bad])) is None
    assert run(Stopping(patience=2), np.stack([good, bad, bad])) == 2


def test_all_faults_of_the_settings_are_said_together() -> None:
    with pytest.raises(Refusal, match="4 faults") as refusal:
        Stopping(patience=0, least=-1, checkpoints=0, loss_range=(1, 0))
    assert all(name in str(refusal.value) for name in ("patience", "least", "checkpoints", "loss_range"))


@pytest.mark.parametrize("losses", [np.zeros(1), np.zeros((2, 2)), 3.0])
def test_losses_are_one_an_example(losses: object) -> None:
    with pytest.raises(Refusal, match="at step 7"):
        Stopping().update(7, losses)  # type: ignore[arg-type]


def test_the_examples_stay_the_same() -> None:
    stopping = Stopping()
    stopping.update(0, np.zeros(5))
    with pytest.raises(Refusal, match=r"\[5\]"):
        stopping.update(1, np.zeros(6))
