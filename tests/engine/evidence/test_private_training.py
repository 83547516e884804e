"""Privacy is what the user says it is, and nothing is assumed."""

import pytest
from tests import cases

from heldout.engine.evidence.resolving import Evidence
from heldout.records import NotApplicable, Refusal


def test_said_or_not_applicable() -> None:
    assert Evidence(cases.mlp().subject(privacy=0.3))["privacy"] == 0.3
    with pytest.raises(NotApplicable, match="privacy="):
        Evidence(cases.mlp().subject())["privacy"]


@pytest.mark.parametrize("wrong", [0.0, -1.0, float("inf"), float("nan")])
def test_what_is_no_epsilon_is_refused(wrong: float) -> None:
    with pytest.raises(Refusal, match="privacy was"):
        cases.mlp().subject(privacy=wrong)
