"""Verdicts and intervals on draws that were made by hand: a Gaussian law whose excess is a gamma variable."""

import dataclasses
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scipy.stats import t as student

from heldout.catalog import units
from heldout.engine.sampling import Draws
from heldout.engine.sampling.equilibrium import Equilibrium
from heldout.engine.sampling.recording import Recorded
from heldout.engine.sampling.uncertainty import Uncertainty, uncertainty
from heldout.records import Passes, Status
from heldout.verbs.observing import Column, column_of, reading_of

NBETA, P = 50.0, 4
LIKELIHOOD: Any = SimpleNamespace(loss=SimpleNamespace(name="cross-entropy"))
SQUARES: Any = SimpleNamespace(loss=SimpleNamespace(name="squared-error"))


def draws(**changes: Any) -> Draws:
    """Regular parameters: ``n beta K`` is a gamma variable of shape P / 2, the squared distance a tenth of the localiser's."""
    k = np.random.default_rng(0).gamma(P / 2, size=(8, 200))
    losses = (0.3 + k / NBETA)[:, :, None].repeat(3, axis=2)
    recorded = Recorded(
        losses.mean(2) - changes.pop("lower", 0.0), changes.pop("distance", 0.1) * 2 * k, np.ones((8, 200, 1)), losses, None,
        np.ones(8, dtype=bool),
    )  # fmt: skip
    plain = Draws(
        member=0, nbeta=NBETA, localisation=1.0, size=P, examples=3, recorded=recorded, centre_losses=np.full(3, 0.3),
        centre_test_losses=None, equilibrium=Equilibrium(True, ""), sampler="hmc", batch=None, step_size=0.1, steps=1,
        acceptance=0.8, burn_in=0, sweeps=100.0, largest=1.0, smallest=0.5, effective=2.0, effective_error=0.0, deficit=0.0,
    )  # fmt: skip
    return dataclasses.replace(plain, **changes)


def column(name: str, own: Draws, subject: Any = LIKELIHOOD) -> Column:
    return column_of(units("observable")[name], own, (), subject)


def test_a_sound_coefficient_has_students_interval() -> None:
    own = draws()
    found = column("learning-coefficient", own)
    assert found.verdict == (Status.OK, "")
    series = NBETA * own.recorded.mean_losses
    assert found.uncertainty == pytest.approx(uncertainty(series))
    reading = reading_of("learning-coefficient", "learning_coefficient", "", [found], Passes(1.0, 1.0), 0.1)
    half = found.uncertainty.error * student.ppf(0.975, found.uncertainty.freedom)
    assert reading.high[0] - reading.value[0] == pytest.approx(half) == pytest.approx(reading.value[0] - reading.low[0])
    assert half > 1.96 * reading.standard_error[0]


def test_the_bias_of_the_step_is_in_the_error() -> None:
    plain, biased = (column("learning-coefficient", draws(step_bias=bias)).uncertainty.error for bias in (0.0, 0.3))
    assert biased == pytest.approx(np.hypot(plain, 0.3))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"deficit": 5.0}, "the centre lies 5 units of temperature above the minimum"),
        ({"lower": 3 / NBETA, "deficit": 3.0}, "the centre is no minimum"),
        ({"lower": 3 / NBETA}, "left the basin of the centre"),
        ({"lower": 3 / NBETA, "smallest": -1.0}, "the centre is no minimum"),
        ({"distance": 2.0}, "no minimum here that holds them"),
    ],
)
def test_a_centre_that_is_none_gives_no_coefficient(changes: dict[str, Any], words: str) -> None:
    found = column("learning-coefficient", draws(**changes))
    assert found.verdict[0] is Status.UNDEFINED
    assert words in found.verdict[1]
    assert np.isnan(found.value)
    heat = column("learning-coefficient-heat-capacity", draws(**changes)).verdict[0]
    assert (heat is Status.OK) is ("distance" not in changes)


def test_other_hindrances() -> None:
    lost = draws(equilibrium=Equilibrium(False, "the chains do not agree"))
    assert column("learning-coefficient", lost).verdict == (Status.NOT_CONVERGED, "the chains do not agree")
    assert column("waic", draws(), SQUARES).verdict[0] is Status.NOT_APPLICABLE
    assert (
        column("waic", draws(distance=2.0)).verdict[0] is Status.OK
    )  # it speaks of the law that was sampled, whatever holds it
    assert column("free-energy", draws()).verdict[0] is Status.NOT_APPLICABLE
    assert column("bayes-test-loss", draws()).verdict[0] is Status.NOT_APPLICABLE


def test_members_with_and_without_a_number_share_a_reading() -> None:
    good = Column(1.0, Uncertainty(0.1, 10.0), (Status.OK, ""))
    bad = Column(float("nan"), Uncertainty(float("nan"), float("inf")), (Status.UNDEFINED, "because"))
    reading = reading_of("x", "y", "nats", [good, bad], Passes(1.0, 2.0), 0.1)
    assert reading.statuses == (Status.OK, Status.UNDEFINED)
    assert reading.value.tolist() == [1.0, None]
    assert reading.high.tolist() == [pytest.approx(1.0 + 0.1 * student.ppf(0.975, 10)), None]
