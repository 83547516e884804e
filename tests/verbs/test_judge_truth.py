"""Judge against truth: ledgers whose answer is known by construction; values, coverage and false discoveries of every criterion.

Small versions; ``benchmarks/judge.py`` prints the large ones.
"""

import math

import numpy as np
import pandas
import pytest
from scipy.stats import binom
from tests.criteria.ledgers import grid

from heldout.catalog import units
from heldout.engine.judging.ledger import Ledger, as_ledger
from heldout.records import Direction
from heldout.verbs.judge import judge
from heldout.verbs.judgement import Judgement, Score
from heldout.verbs.scoring import scored


def known(
    seed: int, *, levels: tuple[int, ...] = (3, 3, 3), seeds: int = 4, copies: int = 1, signals: int = 1
) -> Ledger:
    """The gap is main effects of two hyper-parameters plus what is each network's own; measures see one, the other, or nothing."""
    design, draws = grid(levels, seeds), np.random.default_rng(seed)
    effect = design.codes @ np.array([0.05, -0.03, 0.0][: len(levels)])
    gap = effect + 0.03 * draws.normal(size=design.networks)
    table = {f"hp.{name}": column for name, column in zip(design.axes, design.codes.T, strict=True)}
    for copy in range(copies):
        table[f"measure.noise{copy}"] = draws.normal(size=len(gap))
        table[f"measure.proxy{copy}"] = effect + 1e-4 * draws.normal(size=len(gap))
    for copy in range(signals):
        table[f"measure.signal{copy}"] = gap + 0.01 * draws.normal(size=len(gap))
        table[f"measure.flipped{copy}"] = -table[f"measure.signal{copy}"]
    ways = {name[8:]: Direction.HIGHER_IS_WORSE for name in table if name.startswith("measure.")}
    return as_ledger(pandas.DataFrame({**table, "gap": gap}), directions=ways)


@pytest.fixture(scope="module")
def found() -> Judgement:
    return judge(known(0, levels=(3, 3, 3), seeds=3))


def scores(found: Judgement, criterion: str, axis: str = "") -> dict[str, Score]:
    return {score.measure: score for score in found.scores if (score.criterion, score.axis) == (criterion, axis)}


def test_each_criterion_says_what_it_documents(found: Judgement) -> None:
    # signal and proxy order the networks, the flipped one orders them backwards, noise does not
    for criterion in ("kendall", "granulated-kendall"):
        said = scores(found, criterion)
        assert said["signal0"].value > 0.5
        assert said["flipped0"].value == pytest.approx(-said["signal0"].value)  # type: ignore[operator]
        for name in ("signal0", "proxy0"):
            assert said[name].value > said[name].chance_high
        noise = said["noise0"]
        assert noise.chance_low < noise.value < noise.chance_high
    # two of three hyper-parameters have effects: a proxy of the design is right on those two, and has nothing to say of the third
    assert scores(found, "granulated-kendall", "axis0")["proxy0"].value > 0.5
    third = scores(found, "granulated-kendall", "axis2")["proxy0"]
    assert third.chance_low < third.value < third.chance_high
    # what the design does not explain: nothing is left of a proxy, most of the signal
    partial = scores(found, "partial-rank")
    assert partial["signal0"].value > 0.6
    assert partial["flipped0"].value < -0.6
    assert abs(partial["proxy0"].value) < 0.3
    increment = scores(found, "out-of-fold-increment")
    assert increment["signal0"].low > 0.2
    assert increment["proxy0"].low < 0.05
    assert increment["noise0"].low < 0.05
    # sign errors: few, the same many turned round, one in two
    wrong = scores(found, "sign-error, mean")
    assert wrong["signal0"].value < 0.15
    assert wrong["flipped0"].value == pytest.approx(1 - wrong["signal0"].value)
    assert abs(wrong["noise0"].value - 0.5) < 0.2
    assert scores(found, "sign-error, worst")["noise0"].value > 0.6


def test_mutual_information_is_blind_to_the_sign_and_says_so(found: Judgement) -> None:
    blind = {row["name"] for row in found.to_dict()["criteria"] if row["sign_blind"]}
    assert blind == {"conditional-mutual-information", "competition-score"}
    said = scores(found, "conditional-mutual-information")
    assert said["flipped0"].value == pytest.approx(said["signal0"].value)
    assert said["signal0"].value > said["signal0"].chance_high
    competition = scores(found, "competition-score")
    assert competition["flipped0"].value > competition["flipped0"].chance_high


def test_mutual_information_rewards_a_proxy_of_more_than_two_hyper_parameters() -> None:
    # two held hyper-parameters explain what two do, not what four do: a high score does not mean that anything more was known
    design, draws = grid((2, 2, 2, 2), 3), np.random.default_rng(0)
    effect = design.codes @ np.array([0.05, 0.04, 0.03, 0.03])
    gap = effect + 0.01 * draws.normal(size=design.networks)
    table = {f"hp.{name}": column for name, column in zip(design.axes, design.codes.T, strict=True)}
    held = as_ledger(pandas.DataFrame({**table, "measure.proxy": effect, "gap": gap}))
    for name in ("conditional-mutual-information", "competition-score"):
        score = scored(units("criterion")[name], held, 0)[0]
        assert score.value > 2 * score.chance_high  # type: ignore[operator]


def test_ceilings_bound_and_intervals_hold_the_scores(found: Judgement) -> None:
    for score in found.scores:
        if (
            score.low is not None
            and score.value is not None
            and "worst" not in score.criterion
            and "ninetieth" not in score.criterion
        ):
            assert score.low - 0.05 <= score.value <= score.high + 0.05, score
        if score.criterion in ("kendall", "granulated-kendall", "partial-rank"):
            assert score.ceiling == pytest.approx(1.0)  # targets are exact


def test_noise_of_the_test_sets_lowers_ceilings_axis_by_axis() -> None:
    held = known(1)
    table = pandas.DataFrame({
        **{f"hp.{k}": v for k, v in held.hyper_parameters.items()},
        "measure.a": held.measures["signal0"],
    })
    noisy = judge(
        as_ledger(table.assign(gap=0.2 + held.errors, test_size=300)), criteria=("kendall", "granulated-kendall")
    )
    exact = judge(
        as_ledger(table.assign(gap=0.2 + held.errors, test_size=10**7)), criteria=("kendall", "granulated-kendall")
    )
    for axis in ("", *noisy.axes):
        low, high = (scores(one, "granulated-kendall", axis)["a"].ceiling for one in (noisy, exact))
        assert low is not None
        assert high is not None
        assert low < high
    assert noisy.ceiling is not None
    assert 0.3 < noisy.ceiling < 0.9 < (exact.ceiling or 0)
    assert scores(noisy, "kendall")["a"].ceiling == pytest.approx(noisy.ceiling)


def test_false_discoveries_are_less_than_one_in_twenty() -> None:
    # 40 ledgers without any true measure and 40 with one in three: the share of false among all that "predict", averaged over ledgers
    # (no discovery counts as none false). Of the 40 null ledgers at most Bin(40, 0.05) have one: more than 12 with probability 1e-7.
    # A fifth of the null measures in the mixed ones may be wrong before the mean share leaves 0.05 + 4 errors.
    null, shares, beyond = 0, [], 0
    for seed in range(40):
        words = _words(known(1000 + seed, levels=(3, 3), seeds=3, copies=6, signals=0), seed)
        null += any(
            said.startswith("predicts") or "wrong" in said for name, said in words.items() if name.startswith("noise")
        )
        mixed = _words(known(2000 + seed, levels=(3, 3), seeds=3, copies=4, signals=2), seed)
        told = {name: said for name, said in mixed.items() if said.startswith("predicts") or "wrong" in said}
        shares.append(sum(name.startswith("noise") for name in told) / max(len(told), 1))
        beyond += sum(said == "predicts beyond the design" for name, said in mixed.items() if name.startswith("proxy"))
    assert binom.sf(12, 40, 0.05) < 1e-6
    assert null <= 12
    assert np.mean(shares) < 0.05
    # four proxies of the design in each of 40 ledgers, few are said to go beyond it
    assert beyond <= 0.05 * 160


def _words(ledger: Ledger, seed: int) -> dict[str, str]:
    found = judge(ledger, criteria=("kendall",), seed=seed)
    return {verdict.measure: verdict.words for verdict in found.verdicts if verdict.kind == "measure"}


def test_intervals_cover_the_truth() -> None:
    # gap = a c + b s, measure = gap + e n of Gaussian configurations c and seeds s: two networks of different configurations are
    # concordant with probability 1/2 + asin(rho) / pi, two of one configuration likewise with their own rho
    a, b, e, cells, seeds = 0.1, 0.05, 0.1, 40, 3
    between = math.asin(math.sqrt((a * a + b * b) / (a * a + b * b + e * e))) * 2 / math.pi
    within = math.asin(math.sqrt(b * b / (b * b + e * e))) * 2 / math.pi
    pairs = cells * seeds * (cells * seeds - 1) / 2
    inside = cells * seeds * (seeds - 1) / 2
    truth = (inside * within + (pairs - inside) * between) / pairs
    covered = 0
    for seed in range(100):
        draws = np.random.default_rng([seed, 9])
        gap = a * np.repeat(draws.normal(size=cells), seeds) + b * draws.normal(size=cells * seeds)
        columns = {
            "hp.c": np.repeat(np.arange(cells), seeds),
            "measure.m": gap + e * draws.normal(size=len(gap)),
            "gap": gap,
        }
        score = scored(units("criterion")["kendall"], as_ledger(pandas.DataFrame(columns)), seed)[0]
        covered += score.low <= truth <= score.high  # type: ignore[operator]
    assert binom.cdf(81, 100, 0.95) < 1e-6
    assert covered > 81


def test_power_is_what_it_says() -> None:
    # a measure with the tau that the table says it finds four times in five is found about so often
    design, effect = grid((3, 3), 4), 0.0
    found = 0
    for seed in range(60):
        draws = np.random.default_rng([seed, 11])
        gap = draws.normal(size=design.networks)
        if not effect:
            table = pandas.DataFrame({
                "hp.a": design.codes[:, 0],
                "hp.b": design.codes[:, 1],
                "measure.m": gap,
                "gap": gap,
            })
            smallest = judge(as_ledger(table), criteria=("kendall",)).verdicts[0].smallest
            effect = math.sin(math.pi / 2 * smallest)
        measure = effect * gap + math.sqrt(1 - effect * effect) * draws.normal(size=len(gap))
        table = pandas.DataFrame({
            "hp.a": design.codes[:, 0],
            "hp.b": design.codes[:, 1],
            "measure.m": measure,
            "gap": gap,
        })
        found += judge(as_ledger(table), criteria=("kendall",), seed=seed).verdicts[0].words.startswith("predicts")
    assert binom.cdf(32, 60, 0.8) < 1e-5
    assert 32 < found < 59


def test_a_table_that_could_not_tell_says_so() -> None:
    draws = np.random.default_rng(0)
    few = pandas.DataFrame({"hp.a": np.arange(6) % 3, "measure.m": draws.normal(size=6), "gap": draws.normal(size=6)})
    found = judge(as_ledger(few), criteria=("kendall",))
    assert found.verdicts[0].words in ("underpowered", "nothing beyond chance")
    tiny = pandas.DataFrame({"hp.a": np.arange(4), "measure.m": draws.normal(size=4), "gap": draws.normal(size=4)})
    found = judge(as_ledger(tiny), criteria=("kendall",))
    assert {verdict.words for verdict in found.verdicts} == {"underpowered"}
    assert found.verdicts[0].smallest is None
    assert any("one seed a configuration" in note for note in found.notes)
