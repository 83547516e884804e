"""The judge on ledgers with a known answer: signal, proxy of the design, flipped sign, noise; gaps, warnings, refusals."""

import json
import math

import numpy as np
import pandas
import pytest
from tests.criteria.ledgers import grid
from tests.oracles import judging as oracle

from heldout.engine.judging.ledger import Ledger, as_ledger
from heldout.records import Direction, Refusal
from heldout.verbs.judge import judge

QUICK = ("kendall", "granulated-kendall", "partial-rank")


def ledger(
    seed: int, *, levels: tuple[int, ...] = (3, 3, 3), seeds: int = 4, noise: float = 0.03, copies: int = 1
) -> Ledger:
    design, draws = grid(levels, seeds), np.random.default_rng(seed)
    effect = design.codes @ np.array([0.05, -0.03, 0.0][: len(levels)])
    gap = effect + noise * draws.normal(size=design.networks)
    table = {f"hp.{name}": column for name, column in zip(design.axes, design.codes.T, strict=True)}
    for copy in range(copies):
        table[f"measure.signal{copy}"] = gap + noise * draws.normal(size=len(gap))
        table[f"measure.proxy{copy}"] = effect + 1e-3 * draws.normal(size=len(gap))
        table[f"measure.flipped{copy}"] = -gap + noise * draws.normal(size=len(gap))
        table[f"measure.noise{copy}"] = draws.normal(size=len(gap))
        table[f"measure.axis{copy}"] = design.codes[:, 2] + 0.0  # a hyper-parameter that does nothing
    way = {f"flipped{copy}": Direction.HIGHER_IS_WORSE for copy in range(copies)}
    return as_ledger(pandas.DataFrame({**table, "gap": gap}), directions=way, name="known")


def test_verdicts_on_a_known_ledger_and_scores_that_are_the_oracle_s() -> None:
    held = ledger(0)
    found = judge(held, criteria=QUICK)
    words = {verdict.measure: verdict.words for verdict in found.verdicts}
    assert words["signal0"] == "predicts beyond the design"
    assert words["proxy0"] == "predicts as the design does"
    assert words["flipped0"] == "points the wrong way"
    assert words["noise0"] == words["axis0"] == words["random"] == "nothing beyond chance"
    assert words["oracle with noise 0.02"] == "predicts beyond the design"
    assert found.networks == 108
    scores = {(score.measure, score.criterion, score.axis): score for score in found.scores}
    settings = [tuple(row) for row in held.design.codes.tolist()]
    signal = held.measures["signal0"]
    assert scores["signal0", "kendall", ""].value == pytest.approx(oracle.kendall(signal, held.errors), abs=1e-6)
    psi = oracle.granulated(signal, held.errors, settings)
    for axis, name in enumerate(found.axes):
        assert scores["signal0", "granulated-kendall", name].value == pytest.approx(psi[axis], abs=1e-6)
    one = scores["signal0", "granulated-kendall", ""]
    assert one.low < one.value < one.high
    assert one.chance_low < 0 < one.chance_high < one.low


def test_measures_with_gaps_are_judged_on_the_networks_that_have_them() -> None:
    held = ledger(2)
    holes = held.measures["signal0"].copy()
    holes[:20] = np.nan
    part = Ledger(held.hyper_parameters, {"signal": holes, "noise": held.measures["noise0"]}, {}, "gap", held.errors)
    found = judge(part, criteria=("kendall",))
    sizes = {score.measure: score.networks for score in found.scores}
    assert sizes["signal"] == 88
    assert sizes["noise"] == 108
    assert {verdict.measure for verdict in found.verdicts} >= {"signal", "noise", "random"}


def test_simpson_s_paradox_is_said() -> None:
    depth = np.repeat(np.arange(4), 20)
    draws = np.random.default_rng(0)
    inside = draws.normal(size=80)
    gap, measure = 5.0 * depth + inside, 5.0 * depth - inside
    table = pandas.DataFrame({
        "hp.depth": depth,
        "hp.width": np.tile(np.arange(20), 4),
        "measure.scale": measure,
        "gap": gap,
    })
    verdict = judge(as_ledger(table), criteria=("kendall",)).verdicts[0]
    assert verdict.measure == "scale"
    assert "of the other sign at every value of depth" in verdict.warning


def test_the_record_is_plain_and_the_seed_is_all_there_is_to_chance() -> None:
    first, again, other = (judge(ledger(3), criteria=QUICK, seed=seed).to_dict() for seed in (0, 0, 1))
    assert json.dumps(first, allow_nan=False) == json.dumps(again)
    assert first["scores"] != other["scores"]
    assert first["ceiling"] == 1.0
    assert all(math.isfinite(verdict["smallest"]) for verdict in first["verdicts"])


def test_what_cannot_be_judged_is_refused() -> None:
    with pytest.raises(Refusal, match="'luck'"):
        judge(ledger(0), criteria=("luck",))
    same = Ledger({"width": [1, 1, 1, 1]}, {"m": np.arange(4.0)}, {}, "gap", np.arange(4.0))
    with pytest.raises(Refusal, match="no hyper-parameter that varies"):
        judge(same)


def test_a_measure_that_is_turned_round_within_configurations_does_not_go_beyond_the_design() -> None:
    draws, width = np.random.default_rng(0), np.repeat(np.arange(20), 6)
    inside = draws.normal(size=120)
    table = pandas.DataFrame({"hp.width": width, "gap": 3.0 * width + inside})
    for sign, words in ((1, "predicts beyond the design"), (-1, "predicts as the design does")):
        held = table.assign(**{"measure.m": 3.0 * width + sign * inside})
        verdict = judge(as_ledger(held), criteria=("kendall",)).verdicts[0]
        assert verdict.words == words
        assert ("points the other way" in verdict.warning) is (sign < 0)


def test_a_target_that_does_not_vary_tells_nothing() -> None:
    table = pandas.DataFrame({"hp.width": np.arange(12) % 4, "measure.m": np.arange(12.0), "gap": 0.0})
    assert {verdict.words for verdict in judge(as_ledger(table), criteria=("kendall",)).verdicts} == {"underpowered"}
