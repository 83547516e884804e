"""Whole families simulated: every valid bound holds, a liar is found out, estimates have nothing to show."""

import math

import numpy as np
import pytest

from heldout.catalog import units
from heldout.records import Refusal, Status
from heldout.verbs.simulate import problems_of, simulate_family

FAMILIES = sorted({unit.family for unit in units("bound").values() if unit.fields["standing"] is Status.VALID})


@pytest.mark.parametrize("family", FAMILIES)
def test_every_valid_bound_of_every_family_fails_at_most_delta_of_the_time(family: str) -> None:
    """A valid bound has more violations than this with probability below 1e-7 a row, below 1e-5 over a hundred rows; seed fixed."""
    rows = simulate_family(family, problems=600, delta=0.1, seed=5)
    valid = {
        name
        for name, unit in units("bound").items()
        if unit.family == family and unit.fields["standing"] is Status.VALID
    }
    assert {row["bound"] for row in rows} == valid
    for row in rows:
        assert row["violations"] <= row["problems"] * 0.1 + 5.2 * math.sqrt(row["problems"] * 0.09), row
        assert row["problems"] >= 600


def test_problems_have_the_risk_they_say() -> None:
    for words, needs, risk in problems_of(units("bound")["kl"], 2000, 0):
        mean = needs["held_out_losses"].mean()
        # six standard errors of the mean of at least 120,000 losses of variance at most 1/4
        assert abs(mean - risk) < 6 * 0.5 / np.sqrt(needs["held_out_losses"].size), words


@pytest.mark.parametrize("wrong", [{"family": "no-such"}, {"family": "held-out", "problems": 0}])
def test_what_cannot_be_simulated_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(Refusal, match="expected"):
        simulate_family(**wrong)  # type: ignore[arg-type]
