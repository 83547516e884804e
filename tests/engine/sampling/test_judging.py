"""Looks at draws made by hand, of chains that have arrived, have not, and step too far."""

from dataclasses import replace

import numpy as np
import pytest
from tests.oracles.posteriors import NBETA

from heldout.engine.sampling.equilibrium import Equilibrium
from heldout.engine.sampling.judging import Judged, at_both_steps, judged
from heldout.engine.sampling.recording import Recorded
from heldout.engine.sampling.settings import Settings

SIZES = {"w": 2}
SETTINGS = Settings(chains=4, precision=0.05)


def drawn(draws: int, *, late: int = 0, size: float = 1.0) -> Recorded:
    """Of two directions of precision A: ``nb K = chi^2_2 / 2`` and the virial ``chi^2_2``; ten times as large before ``late``."""
    half = np.random.default_rng(0).exponential(size=(4, draws)) * size
    half[:, :late] *= 10
    return Recorded(half / NBETA, half, 2 * half[:, :, None], half[:, :, None], None, np.ones(4, dtype=bool))


def test_what_has_arrived_keeps_every_draw() -> None:
    found = judged(drawn(400), SIZES, 0.0, SETTINGS, 100.0)
    assert found.verdict.converged
    assert found.burn_in == 0
    # 1,600 independent draws of mean and deviation 1: 2.5 % where 5 % were asked for; the larger of two errors, and Student's
    assert 0.45 < found.width < 1.0


def test_the_shortest_burn_in_that_passes() -> None:
    assert judged(drawn(400, late=60), SIZES, 0.0, SETTINGS, 100.0).burn_in == 100
    assert judged(drawn(400, late=150), SIZES, 0.0, SETTINGS, 100.0).burn_in == 200
    never = judged(drawn(400, late=300), SIZES, 0.0, SETTINGS, 100.0)
    assert (never.verdict.converged, never.width, never.burn_in) == (False, float("inf"), 200)


def run(mean: float, *, converged: bool = True) -> Judged:
    verdict = Equilibrium(converged, "" if converged else "they do not agree")
    return Judged(drawn(400, size=mean), verdict, 0, 0.1)


def test_the_bias_of_a_step_is_the_difference_to_half_of_it() -> None:
    verdict, bias, error = at_both_steps([run(1.05), run(1.0)], NBETA, 0.0)
    assert verdict.converged
    assert bias == pytest.approx(0.05 * NBETA * float(run(1.0).recorded.mean_losses.mean()))
    assert error == pytest.approx(2**0.5 * 0.025, rel=0.15)
    assert at_both_steps([run(1.0)], NBETA, 0.0)[1:] == (0.0, 0.0)


def test_a_step_that_adds_much_is_refused_and_one_that_does_not_settle_too() -> None:
    far = at_both_steps([run(1.5), run(1.0)], NBETA, 0.0)[0]
    assert not far.converged
    assert "halving the step size moved the learning coefficient by 0.5" in far.reason
    larger = at_both_steps([run(1.0, converged=False), run(1.0)], NBETA, 0.0)[0]
    assert larger.reason == "at twice the step size they do not agree"
    short = replace(run(1.0), recorded=drawn(3))
    assert at_both_steps([short, short], NBETA, 0.0) == (short.verdict, 0.0, 0.0)
