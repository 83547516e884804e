"""Phases of real trainings kept for the tests, of series written down here, and of the same series cut at every row."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from heldout.engine.watching.phases import NAMES, Phase, phases
from heldout.records import Refusal

RUNS = pd.read_parquet(Path(__file__).parent / "phases_runs.parquet")
FIT, MEMORISE, GENERALISE, OVERFIT = "fitting", "memorising", "generalising", "overfitting"
ORDERS = {
    "half of the pairs": [FIT, MEMORISE, "grokking"], "nearly all pairs": [FIT, MEMORISE, GENERALISE],
    "too few pairs": [FIT, MEMORISE], "weight decay 1": [FIT, MEMORISE, "grokking"], "no weight decay": [FIT, MEMORISE],
    "true labels": [FIT, GENERALISE], "two fifths random": [FIT, GENERALISE, OVERFIT], "random labels": [FIT, MEMORISE],
    "two scales": [FIT, GENERALISE, OVERFIT, GENERALISE], "plain": [FIT, GENERALISE],
}  # fmt: skip


def table(steps: list[int] | range, **series: list[float]) -> pd.DataFrame:
    """Readings, their names with a dash."""
    parts = [
        pd.DataFrame({"step": steps, "name": name.replace("_", "-"), "value": values})
        for name, values in series.items()
    ]
    return pd.concat(parts, ignore_index=True)


def names(found: tuple[Phase, ...]) -> list[str]:
    return [phase.name for place, phase in enumerate(found) if place or phase.name != "undecided"]


@pytest.mark.parametrize("arm", list(ORDERS))
def test_trainings_that_were_not_used_for_calibration(arm: str) -> None:
    found = phases(RUNS[RUNS.arm == arm])
    assert names(found) == ORDERS[arm]
    for phase, following in pairwise(found):
        assert phase.end == following.begin > phase.begin
        assert following.begin <= following.detected
        assert following.detected >= phase.detected
    assert found[-1].end is None
    assert {phase.name for phase in found} <= set(NAMES)


@pytest.mark.parametrize("arm", ["half of the pairs", "two fifths random", "two scales"])
def test_what_is_announced_rests_on_earlier_rows_only(arm: str) -> None:
    """At every step the announcements are those of the whole run so far; only ends, and an undecided beginning, are open."""
    rows = RUNS[RUNS.arm == arm]
    whole = [replace(phase, end=None) for phase in phases(rows) if phase.name != "undecided"]
    for step in sorted(set(rows.step))[::2]:
        now = [replace(phase, end=None) for phase in phases(rows[rows.step <= step]) if phase.name != "undecided"]
        assert now == [phase for phase in whole if phase.detected <= step]


LONG = [0.9, 0.85, 0.7, 0.5, 0.3, 0.2, 0.1, 0.05, 0.02, 0.0, 0.0, 0.0]


def test_without_validation_data_nothing_is_said_of_generalisation() -> None:
    *_, found = phases(table(range(12), train_error=LONG))
    assert found.name == "fitting"
    assert "cannot be told apart" in found.why


def test_the_loss_of_the_loop_is_enough() -> None:
    found = phases(
        table(
            range(12),
            loss=[2.3 - 0.2 * step for step in range(11)] + [0.2],
            validation_loss=[2.3 - 0.15 * s for s in range(12)],
        )
    )
    assert names(found) == ["fitting", "generalising"]


def test_noise_alone_is_undecided() -> None:
    draw = np.random.default_rng(0)
    noisy = table(
        range(60), train_error=list(draw.normal(0.9, 0.01, 60)), validation_error=list(draw.normal(0.9, 0.01, 60))
    )
    (found,) = phases(noisy)
    assert (found.name, found.begin, found.end, found.confidence, found.detected) == ("undecided", 0, None, 0.0, 0)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_loss_that_is_not_finite(value: float) -> None:
    found = phases(table(range(12), train_loss=[*[3.0 * 0.8**step for step in range(9)], value, value, value]))
    assert names(found) == ["fitting", "collapsed"]
    assert (found[-1].begin, found[-1].detected, found[-1].confidence) == (9, 9, 1.0)


def test_one_batch_without_a_finite_loss_is_none_two_are() -> None:
    falling = [3.0 * 0.8**step for step in range(12)]
    one, two = falling.copy(), falling.copy()
    one[8], two[8], two[9] = float("nan"), float("nan"), float("inf")
    assert names(phases(table(range(12), loss=one))) == ["fitting"]
    found = phases(table(range(12), loss=two))
    assert [(phase.name, phase.detected) for phase in found[1:]] == [("collapsed", 9), ("fitting", 10)]


def test_a_reading_that_was_not_applicable_is_no_collapse() -> None:
    rows = table(range(12), train_loss=[*[3.0 * 0.8**step for step in range(9)], *[float("nan")] * 3])
    rows["status"] = np.where(np.isfinite(rows.value), "ok", "not-applicable")
    assert names(phases(rows)) == ["fitting"]
    assert names(phases(rows.assign(status="not-finite"))) == ["fitting", "collapsed"]


def test_back_to_chance_is_a_collapse_and_learning_again_is_fitting() -> None:
    found = phases(table(range(24), train_error=[*LONG, 0.9, 0.9, 0.9, 0.9, *LONG[4:]]))
    assert names(found) == ["fitting", "collapsed", "fitting"]


def test_softmax_collapse_before_anything_generalised() -> None:
    flat, rising = [0.99] * 12, [0.0] * 8 + [0.4, 0.6, 0.7, 0.8]
    found = phases(table(range(12), train_error=LONG, validation_error=flat, softmax_collapse=rising))
    assert names(found) == ["fitting", "memorising", "collapsed"]
    assert (found[-1].begin, found[-1].detected) == (9, 10)
    assert names(phases(table(range(12), train_error=LONG, validation_error=LONG, softmax_collapse=rising))) == [
        "fitting",
        "generalising",
    ]


def test_both_risks_rising_is_undecided() -> None:
    bumped = [*LONG, 0.2, 0.25, 0.3, 0.3, 0.3, 0.3]
    found = phases(table(range(18), train_error=bumped, validation_error=bumped))
    assert names(found) == ["fitting", "generalising", "undecided"]
    assert found[-1].confidence == 0


def test_members_are_told_apart_and_their_order_does_not_matter() -> None:
    two = RUNS[RUNS.arm.isin(["plain", "random labels"])].copy()
    two["member"] = (two.arm == "plain").astype(int) + 4
    found = phases(two.sample(frac=1, random_state=0))
    assert [names(tuple(p for p in found if p.member == member)) for member in (4, 5)] == [
        ORDERS["random labels"],
        ORDERS["plain"],
    ]


def test_a_lower_bar_is_never_later() -> None:
    rows = RUNS[RUNS.arm == "two fifths random"]
    early, late = phases(rows, bar=2.0), phases(rows, bar=6.0)
    detected = {phase.name: phase.detected for phase in reversed(early)}
    assert all(phase.detected >= detected[phase.name] for phase in late if phase.name in detected)
    assert late[-1].detected > detected["overfitting"] or late[-1].name != "overfitting"


def test_a_table_without_its_columns_is_refused_and_an_empty_one_has_no_phase() -> None:
    with pytest.raises(Refusal, match="no column step, value"):
        phases(pd.DataFrame({"name": ["loss"]}))
    assert phases(pd.DataFrame({"step": [], "name": [], "value": []})) == ()


def test_rows_at_steps_of_their_own() -> None:
    """Training read at every step, validation at every seventh: the share that training lost is that of the same step."""
    train = table(range(80), loss=[2.3 * 0.95**step for step in range(80)])
    for share, last in ((1.0, "generalising"), (0.0, "memorising")):
        unseen = table(range(0, 80, 7), validation_loss=[2.3 * 0.95 ** (share * step) for step in range(0, 80, 7)])
        assert names(phases(pd.concat([train, unseen])))[-1] == last


def test_validation_that_was_first_read_late_is_no_sign_of_memorising() -> None:
    train = table(range(80), loss=[2.3 * 0.95**step for step in range(80)])
    flat, up = (
        table(range(40, 80), validation_loss=[0.6] * 40),
        table(range(40, 80), validation_loss=[0.6 + 0.02 * s for s in range(40)]),
    )
    assert names(phases(pd.concat([train, flat]))) == ["fitting"]
    assert names(phases(pd.concat([train, up]))) == ["fitting", "overfitting"]
    whole = phases(pd.concat([train, up]))
    assert phases(pd.concat([train, up]).query("step < 40"))[-1].why == whole[-2].why


@pytest.mark.parametrize("seed", range(4))
def test_rough_series_read_at_odd_times_are_announced_online_too(seed: int) -> None:
    draw = np.random.default_rng(seed)
    parts = []
    for name, rows in (("loss", 70), ("train-error", 25), ("validation-error", 20)):
        steps = sorted(draw.choice(300, rows, replace=False).tolist())
        values = 0.5 + 0.45 * np.cos(np.array(steps) / 50) + draw.normal(0, 0.02, rows)
        parts.append(pd.DataFrame({"step": steps, "name": name, "value": np.clip(values, 0.001, 0.999)}))
    parts[0].loc[draw.integers(70, size=5), "value"] = np.nan
    rough = pd.concat(parts)
    whole = [replace(phase, end=None) for phase in phases(rough, bar=3.0) if phase.detected > phase.begin]
    assert len(whole) >= 2
    for step in range(0, 300, 9):
        now = [
            replace(phase, end=None)
            for phase in phases(rough[rough.step <= step], bar=3.0)
            if phase.detected > phase.begin
        ]
        assert now == [phase for phase in whole if phase.detected <= step]
