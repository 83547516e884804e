"""Advice: the choice with and without examples, what is said of it, what follows from the gap and no more."""

import json
from typing import Any

import numpy as np
import pandas
import pytest

from heldout.engine.watching.advice import advise
from heldout.engine.watching.advice_sentences import said_of_gap
from heldout.engine.watching.phases import Phase
from heldout.records import Refusal

STEPS = [1, 2, 4, 8, 16, 32, 64, 96, 128, 192, 256, 384]


def table(**readings: list[float]) -> pandas.DataFrame:
    rows = [
        {"step": step, "member": 0, "name": name.replace("_", "-"), "value": value}
        for name, values in readings.items()
        for step, value in zip(STEPS, values, strict=False)
    ]
    return pandas.DataFrame(rows)


FALLING = [0.1 + 0.4 * (place + 1) ** -1.0 for place in range(12)]


def test_with_examples_the_expectation_is_corrected() -> None:
    generator = np.random.default_rng(0)
    wrong = (generator.random((12, 300)) < 0.2).astype(float)
    advice = advise(table(validation_error=list(wrong.mean(-1)), train_error=[0.05] * 12), wrong)
    assert advice.selection is not None
    assert advice.step == STEPS[int(wrong.mean(-1).argmin())]
    assert advice.selection.expected > advice.selection.seen  # type: ignore[operator]
    assert "to be expected on other data" in advice.sentences["checkpoint"]
    assert advice.gap == pytest.approx(advice.selection.expected - 0.05)  # type: ignore[operator]
    assert advice.regulariser == pytest.approx(advice.selection.limit - 0.05)  # type: ignore[operator]
    json.dumps(advice.to_dict(), allow_nan=False)


def test_from_means_there_is_the_limit_alone() -> None:
    advice = advise(table(validation_error=FALLING), examples=1000)
    assert advice.selection is not None
    assert (advice.step, advice.selection.expected) == (STEPS[-1], None)
    assert "needs the losses of each example" in advice.sentences["checkpoint"]
    assert "at least 95 %" in advice.sentences["limit"]
    assert "training error was not read" in advice.sentences["regularisation"]
    assert "limit" not in advise(table(validation_error=FALLING)).sentences
    tighter = advise(table(validation_error=FALLING), examples=1000, delta=0.5).selection
    wider = advise(table(validation_error=FALLING), examples=1000, adaptive=True).selection
    assert tighter.limit < advice.selection.limit < wider.limit  # type: ignore[union-attr,operator]


def test_losses_choose_where_there_are_no_errors() -> None:
    losses = np.tile(np.array(FALLING)[:, None], 250) + np.random.default_rng(0).random(250)
    readings = table(validation_loss=list(losses.mean(-1)), train_loss=[0.1] * 12)
    plain = advise(readings, losses)
    assert plain.measure == "validation-loss"
    assert plain.regulariser is None
    assert "no interval is known" in plain.sentences["regularisation"]
    ranged = advise(readings, losses, loss_range=(0, 2))
    assert "its loss on unseen data" in ranged.sentences["limit"]
    assert ranged.sentences["checkpoint"].startswith("Ship the checkpoint of step 384")


def test_the_gap_of_losses_stands_in_for_that_of_errors() -> None:
    advice = advise(table(validation_error=FALLING, validation_loss=[1.5] * 12, train_loss=[1.0] * 12), examples=100)
    assert (advice.gap, advice.regulariser) == (0.5, None)
    assert "lower the training loss" in advice.sentences["regularisation"]


def test_what_lies_before_the_phase_says_nothing_of_more_training() -> None:
    readings = table(validation_error=FALLING)
    whole = advise(readings, phases=()).more
    late = advise(readings, phases=(Phase("generalising", 256, None, 0.9, 256, ""),)).more
    assert whole is not None
    assert late is not None
    assert whole.value is not None
    assert late.value is None
    found = advise(readings).more  # the phases that the table shows
    assert found is not None


def test_nothing_on_validation_data_is_said_so() -> None:
    advice = advise(table(train_loss=FALLING))
    assert (advice.step, advice.selection, advice.more) == (None, None, None)
    assert "no checkpoint is better" in advice.sentences["checkpoint"]


def test_members_are_kept_apart() -> None:
    two = pandas.concat([table(validation_error=FALLING), table(validation_error=FALLING[::-1]).assign(member=1)])
    assert (advise(two).step, advise(two, member=1).step) == (STEPS[-1], STEPS[0])


def test_a_row_a_checkpoint() -> None:
    with pytest.raises(Refusal, match="3 rows and 'validation-error' was read at 12 steps"):
        advise(table(validation_error=FALLING), np.zeros((3, 5)))


@pytest.mark.parametrize(
    ("gap", "most", "said"),
    [
        (None, None, "not read"),
        (-0.1, None, "there is none"),
        (0.1, 0.2, "by more than 0.2"),
        (-0.1, 0.05, "by more than 0.05"),
    ],
)
def test_what_follows_from_a_gap(gap: Any, most: Any, said: str) -> None:
    assert said in said_of_gap(gap, most, "validation-error")
