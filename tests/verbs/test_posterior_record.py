"""The tables of a posterior's record: the Gaussian mean's closed forms, what is thinned, and what is absent and why."""

import math
from dataclasses import replace

import numpy as np
import pytest
from tests.verbs.test_posterior_functions import exact_covariance
from tests.verbs.test_sample_posterior import conjugate

from heldout.faces.report.posterior import figures_of, render_posterior
from heldout.verbs import posterior_record
from heldout.verbs.posterior import Posterior


def both() -> Posterior:
    """The same network twice, the second with a larger loss and a smaller coefficient."""
    posterior = conjugate()
    (own,), (ladder,) = posterior.draws, posterior.rungs
    other = replace(own, member=1, centre_losses=own.centre_losses + 0.5)
    found = posterior.learning_coefficient
    two = replace(
        found, statuses=found.statuses * 2, reasons=found.reasons * 2, _value=np.array([1.5, 0.5]),
        _standard_error=np.array([0.1, 0.1]), _low=np.array([1.0, 0.0]), _high=np.array([2.0, 1.0]),
    )  # fmt: skip
    readings = {**posterior.readings, "learning-coefficient": two}
    return replace(
        posterior,
        draws=(own, other),
        rungs=(ladder, tuple(replace(rung, member=1) for rung in ladder)),
        readings=readings,
    )


def test_the_weight_of_hypotheses_in_nats_and_bits() -> None:
    """Under the prior K is a quarter of a chi-square of 3: half of it lies below 2.365974 / 4, which is one bit."""
    record = conjugate().to_dict()
    rows = record["hypothesis_weight"]
    levels, bits = ([row[column] for row in rows] for column in ("level", "bits"))
    assert np.interp(2.365974 / 4, levels, bits) == pytest.approx(1.0, abs=0.15)
    for row in rows:
        assert row["bits"] == pytest.approx(-row["log_weight"] / math.log(2))
        assert row["bits_error"] == pytest.approx(row["standard_error"] / math.log(2))
        assert row["chernoff_bits"] <= row["bits"] + 5 * row["bits_error"]
    last = record["ladder"][-1]
    assert last["nbeta"] == pytest.approx(20)
    assert abs(last["free_energy"] - 1.5 * math.log(11)) < 6 * last["free_energy_error"]
    assert last["free_energy_bits"] == pytest.approx(last["free_energy"] / math.log(2))
    exact = 1.5 * 20 / 22  # t E[K] = d/2 t / (t + gamma)
    assert abs(last["running"] - exact) < 5 * last["running_error"]


def test_correlations_and_influences_of_a_gaussian_mean() -> None:
    """20 examples: all of them are named; 400 pairs within 8 of their errors."""
    record, exact = conjugate().to_dict(), exact_covariance()
    spread = np.sqrt(np.diag(exact))
    rows = record["correlations"]
    assert len(rows) == 400
    for row in rows:
        i, j = row["first"], row["second"]
        assert abs(row["correlation"] - exact[i, j] / spread[i] / spread[j]) <= 8 * row["standard_error"] + 1e-9
    named = record["influences"]
    assert {row["on"] for row in named} == {"test"}
    assert [row["influence"] for row in named] == sorted(row["influence"] for row in named)
    wanted = -exact[:, :9].mean(1)  # the test examples are the first nine, beta is 1
    for row in named:
        assert abs(row["influence"] - wanted[row["example"]]) < 8 * row["standard_error"]


def test_what_is_many_is_thinned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(posterior_record, "SHOWN", 3)
    monkeypatch.setattr(posterior_record, "NAMED", 2)
    own = conjugate().draws[0]
    assert {row["first"] for row in posterior_record.correlation_rows(own)} == {0, 10, 19}
    few = posterior_record.influence_rows(own)
    assert len(few) == 4
    blind = replace(own, recorded=replace(own.recorded, test_losses=None))
    assert {row["on"] for row in posterior_record.influence_rows(blind)} == {"train"}


def test_two_solutions_have_shares_swaps_and_panels() -> None:
    record = both().to_dict()
    rows = record["selection"]["rows"]
    for size in {row["size"] for row in rows}:
        assert sum(row["share"] for row in rows if row["size"] == size) == pytest.approx(1.0)
    assert record["absent"] == []
    drawn = figures_of(record)
    assert set(drawn) == {
        "posterior-chains", "learning-coefficients", "hypothesis-weights", "running-coefficients", "preferred-solutions",
        "loss-correlations",
    }  # fmt: skip
    same = figures_of({**record, "labels": ["x", "x"]})  # two files of one name
    assert "x (1)" in str(same["hypothesis-weights"])
    record["selection"]["swaps"] = [{"simple": 1, "complex": 0, "size": 7.5, "low": 7.0, "high": 8.0}]
    page = render_posterior(record)
    assert "Where the data change the posterior" in page
    assert "help and harm most" in page


def test_one_reason_stands_for_all_that_it_costs() -> None:
    posterior = conjugate()
    (own,), (ladder,) = posterior.draws, posterior.rungs
    lost = replace(own, equilibrium=replace(own.equilibrium, converged=False, reason="the chains do not agree"))
    record = replace(posterior, draws=(lost,)).to_dict()
    (absent,) = record["absent"]
    assert absent["tables"] == ["correlations", "influences"]
    assert "the chains do not agree" in absent["reason"]
    assert record["correlations"] == []
    broken = (*ladder[:-1], replace(ladder[-1], equilibrium=lost.equilibrium))
    cut = replace(posterior, rungs=(broken,)).to_dict()
    assert cut["hypothesis_weight"] == []
    assert cut["ladder"][-1]["free_energy"] is None
    assert "running-coefficients" not in figures_of(cut)
    assert "No hypothesis weight: " in render_posterior(cut)


def test_a_network_without_a_coefficient_leaves_nothing_to_select() -> None:
    two = both()
    lame = replace(two.learning_coefficient, _value=np.array([np.nan, 1.0]), reasons=("no minimum", ""))
    record = replace(two, readings={**two.readings, "learning-coefficient": lame}).to_dict()
    assert record["selection"] == {"rows": [], "swaps": []}
    assert (record["absent"][0]["member"], record["absent"][0]["tables"]) == (None, ["selection"])
    assert "No selection: " in render_posterior(record)
