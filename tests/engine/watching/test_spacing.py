"""The budget, on a clock that the test turns."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heldout.engine.watching.spacing import Account, Spacing, check_every
from heldout.records import Refusal


def simulated(
    budget: float, grace: float, step: float, costs: dict[str, float], steps: int, every: object = "log"
) -> Spacing:
    """A training of equal steps, with probes that cost what they cost; the budget is checked after each."""
    spacing = Spacing(budget, grace, {name: Account(1.0, 1, guess=cost) for name, cost in costs.items()}, every)  # type: ignore[arg-type]
    for taken in range(1, steps + 1):
        training = taken * step
        for name in spacing.due(taken):
            if spacing.wait(name, training) <= 0:
                spacing.ran(name, taken, costs[name])
        assert spacing.spent <= grace + budget * training + 1e-9
    return spacing


@given(
    budget=st.floats(0.001, 0.5), grace=st.floats(0, 0.5), step=st.floats(1e-4, 1e-1),
    costs=st.dictionaries(st.sampled_from("abc"), st.floats(1e-3, 2.0), min_size=1), every=st.sampled_from(["log", 1, 7]),
)  # fmt: skip
def test_the_budget_is_never_overdrawn(
    budget: float, grace: float, step: float, costs: dict[str, float], every: object
) -> None:
    simulated(budget, grace, step, costs, 300, every)


def test_a_cheap_group_that_is_always_due_leaves_a_dear_one_its_share() -> None:
    # 0.05 * 1000 s = 50 s in all, 25 s of them for the group that costs 10 s
    spacing = simulated(0.05, 0.0, 0.1, {"cheap": 0.02, "dear": 10.0}, 10_000, every=1)
    assert spacing.accounts["dear"].spent == pytest.approx(20, abs=0.1)
    assert spacing.accounts["cheap"].spent > 20


def test_what_nobody_needs_goes_to_whom_it_helps() -> None:
    # the cheap group takes 10 s of 50 s however often it reads: the dear one gets almost all of the others
    spacing = simulated(0.05, 0.0, 0.1, {"cheap": 0.001, "dear": 1.0}, 10_000, every=1)
    assert spacing.accounts["dear"].spent > 38


def test_a_group_that_cost_more_than_expected_waits_for_it() -> None:
    spacing = Spacing(0.1, 0.0, {"one": Account(1.0, 1, guess=0.1)}, every=1)
    assert spacing.wait("one", 1.0) == 0
    spacing.ran("one", 1, 0.5)
    assert spacing.wait("one", 5.0) == pytest.approx(5.0)  # 0.5 spent and 0.5 expected need 10 s
    spacing.ran("one", 2, 0.1)
    assert spacing.accounts["one"].expected == pytest.approx(0.3)


def test_the_grace_and_no_budget_at_all() -> None:
    one = {"one": Account(1.0, 1, guess=0.1)}
    assert Spacing(0.1, 0.2, one).wait("one", 0.0) == 0
    assert Spacing(0.1, 0.05, one).wait("one", 0.0) == pytest.approx(0.5)
    assert Spacing(math.inf, 0.0, one).wait("one", 0.0) == 0


def test_strides_and_lists_and_ends() -> None:
    log = Spacing(0.1, 0.0, {})
    assert [log.after(10, stride) for stride in (1, 2, 3)] == [11, 12, 14]
    assert Spacing(0.1, 0.0, {}, every=5).after(7, 2) == 15
    listed = Spacing(0.1, 0.0, {}, every=[2, 8])
    assert [listed.after(step, 1) for step in (0, 2, 8)] == [2, 8, math.inf]
    assert [listed.scheduled(step) for step in (2, 3)] == [True, False]


def test_a_group_that_is_off_is_never_due_and_keeps_nothing_back() -> None:
    spacing = Spacing(0.1, 0.0, {"one": Account(1.0, 1, guess=0.1), "off": Account(1.0, 1, guess=9.0, on=False)})
    assert spacing.due(5) == ["one"]
    assert spacing.wait("one", 1.0) == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("every", ["linear", 0, -3, True, [], [1, -2], [0.5], None])
def test_a_schedule_that_is_none_is_refused(every: object) -> None:
    with pytest.raises(Refusal, match="'log', a number of steps, or a list"):
        check_every(every)
