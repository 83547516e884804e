"""Speed of training, on histories whose answer is known."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tests import cases

from heldout.catalog import find
from heldout.engine.evidence.histories import LossHistory, NoiseHistory
from heldout.engine.evidence.reading_units import read_measure
from heldout.engine.evidence.resolving import Evidence
from heldout.measures.optimisation_speed import (
    first_epoch_gradient_noise,
    steps_tenth_to_hundredth,
    steps_to_loss_tenth,
)
from heldout.records import Reading, Status


def losses(*values: float, steps: tuple[float, ...] = ()) -> LossHistory:
    """Recorded at steps 0, 10, 20, ... unless said."""
    places = steps or tuple(10.0 * place for place in range(len(values)))
    return LossHistory(torch.tensor(places, dtype=torch.float64), torch.tensor(values, dtype=torch.float64))


@given(rate=st.floats(1e-3, 0.3), every=st.integers(1, 9))
def test_of_an_exponential_decay_it_is_exact(rate: float, every: int) -> None:
    steps = torch.arange(0, 9000, every, dtype=torch.float64)
    history = LossHistory(steps, 2.0 * torch.exp(-rate * steps))
    first, between = steps_to_loss_tenth(history), steps_tenth_to_hundredth(history)
    assert first.value.item() == pytest.approx(math.log(20) / rate, rel=1e-9, abs=1e-9)
    assert between.value.item() == pytest.approx(math.log(10) / rate, rel=1e-9, abs=1e-9)
    for found in (first, between):
        assert found.low <= found.value + 1e-9
        assert found.value <= found.high + 1e-9
    assert (first.high - first.low).item() == every


def test_levels_other_than_those_of_the_paper() -> None:
    history = losses(4.0, 1.0, 0.25)
    assert steps_to_loss_tenth(history, level=2.0).value.item() == pytest.approx(5.0)
    assert steps_tenth_to_hundredth(history, levels=(2.0, 0.5)).value.item() == pytest.approx(10.0)


def test_the_first_crossing_counts_and_gaps_are_bridged() -> None:
    assert steps_to_loss_tenth(losses(1.0, 0.01, 1.0, 0.01)).value.item() == pytest.approx(5.0)
    gap = losses(1.0, math.nan, 0.01, steps=(0.0, 3.0, 10.0))
    found = steps_to_loss_tenth(gap)
    assert (found.low.item(), found.high.item()) == (0.0, 10.0)
    assert found.value.item() == pytest.approx(5.0)


def test_a_loss_at_the_level_from_the_beginning_took_no_step() -> None:
    assert steps_to_loss_tenth(losses(0.05, 0.01)).value.item() == 0.0


@pytest.mark.parametrize(
    "history", [losses(1.0, 0.5), losses(0.05, 0.01, steps=(5.0, 6.0)), losses(math.nan, math.nan), losses(1.0)]
)
def test_a_crossing_that_is_not_seen_has_no_number(history: LossHistory) -> None:
    assert steps_to_loss_tenth(history).value.isnan()
    assert steps_tenth_to_hundredth(history).value.isnan()


def test_a_loss_of_zero_is_no_fault() -> None:
    assert 0.0 <= steps_to_loss_tenth(losses(1.0, 0.0)).value.item() <= 10.0


@pytest.mark.parametrize(
    ("epoch", "expected"), [(0.0, 4.0), (4.0, 2.0), (8.0, 1.0), (12.0, 1.0), (16.0, 1.0), (17.0, math.nan)]
)
def test_noise_when_the_first_epoch_had_passed(epoch: float, expected: float) -> None:
    steps = torch.tensor([0.0, 2.0, 8.0, 16.0])
    noise = torch.tensor([4.0, math.nan, 1.0, 1.0])
    found = first_epoch_gradient_noise(NoiseHistory(steps, noise, torch.tensor(epoch))).item()
    assert found == pytest.approx(expected, nan_ok=True)


def test_noise_of_zero_is_zero() -> None:
    flat = NoiseHistory(torch.tensor([0.0, 2.0]), torch.tensor([0.0, 1.0]), torch.tensor(0.0))
    assert first_epoch_gradient_noise(flat).item() == 0.0


def test_statuses() -> None:
    case = cases.mlp()

    def read(name: str, **changes: object) -> Reading:
        return read_measure(find(name), Evidence(case.subject(**changes)))

    names = ("steps-to-loss-tenth", "steps-tenth-to-hundredth", "first-epoch-gradient-noise")
    for name in names:
        unknown = read(name, history=None)
        assert unknown.statuses == (Status.NOT_APPLICABLE,)
        assert "--history" in unknown.reasons[0]
    slow = {"step": [0, 10], "train-loss": [2.0, 1.0], "gradient-noise": [1.0, 1.0]}
    assert read(names[0], history=slow).statuses == (Status.UNDEFINED,)
    assert "column epoch" in read(names[2], history=slow).reasons[0]
    assert "not recorded" in read(names[2], history={"step": [0], "train-loss": [1.0]}).reasons[0]
    ended = read(names[2], history={**slow, "epoch": [0.0, 2.0]})
    assert ended.value.item() == pytest.approx(1.0)
    regression = read_measure(find(names[0]), Evidence(cases.regression().subject()))
    assert "squared-error" in regression.reasons[0]
