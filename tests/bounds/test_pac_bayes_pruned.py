"""Pruned networks with noise: the number, its account, its coverage, what is refused, and one run on real networks."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import optimize
from tests.cases import ALL
from torch import nn

from heldout import Recipe, Subject
from heldout.bounds.pac_bayes_pruned import known_risk, pac_bayes_pruned
from heldout.catalog import find
from heldout.engine.evidence import pruned_networks
from heldout.engine.evidence.pruned_networks import Pruned
from heldout.engine.evidence.resolving import Evidence
from heldout.records import NotApplicable, Refusal, Status
from heldout.verbs.certificates import issued
from heldout.verbs.simulate import counted

LOG_DELTA = math.log(0.05)


def some(bits: float = 2000, nats: float = 500, risk: float = 0.02, draws: int = 10**6, n: int = 60000) -> Pruned:
    return Pruned(np.array([bits]), np.array([nats]), np.array([risk]), draws, n)


def binary_divergence(q: float, p: float) -> float:
    return q * math.log(q / p) + (1 - q) * math.log((1 - q) / (1 - p))


@pytest.mark.parametrize(("bits", "nats", "risk", "draws", "n", "delta"), [
    (2000, 500, 0.02, 10**6, 60000, 0.05), (150, 12.5, 0.31, 4000, 900, 0.01), (0, 0, 0.1, 20000, 300, 0.2)])  # fmt: skip
def test_two_inversions_by_another_root_finder(
    bits: float, nats: float, risk: float, draws: int, n: int, delta: float
) -> None:
    def inverse(q: float, budget: float) -> float:
        return optimize.brentq(lambda p: binary_divergence(q, p) - budget, q, 1 - 1e-12, xtol=1e-14)

    on_sample = inverse(risk, math.log(10 / delta) / draws)
    expected = inverse(on_sample, (bits * math.log(2) + nats + math.log(2 * math.sqrt(n) / (0.9 * delta))) / n)
    said = pac_bayes_pruned(some(bits, nats, risk, draws, n), log_delta=math.log(delta))
    assert said.value[0] == pytest.approx(expected, abs=1e-9)
    assert said.value[0] >= expected - 1e-12
    assert [share for _, share in said.steps] == pytest.approx([0.9, 0.1])
    assert said.terms["divergence"][0] == pytest.approx(bits * math.log(2) + nats)


def test_every_bit_is_paid() -> None:
    cheap, dear = (pac_bayes_pruned(some(bits=bits, n=900), log_delta=LOG_DELTA).value[0] for bits in (100, 101))
    assert dear > cheap
    same = pac_bayes_pruned(some(bits=100, nats=500 + math.log(2), n=900), log_delta=LOG_DELTA).value[0]
    assert dear == pytest.approx(same, abs=1e-9)


def test_the_account_of_one_network_adds_up() -> None:
    parts = ({"places": 1700.0, "levels": 300.0},)
    said = pac_bayes_pruned(replace(some(), parts=parts), log_delta=LOG_DELTA)
    assert said.code["levels of weights"] == pytest.approx(500 / math.log(2))
    assert sum(bits for part, bits in said.code.items() if part != "all") == pytest.approx(said.code["all"])


def test_too_few_draws_are_no_gibbs_risk() -> None:
    with pytest.raises(Refusal, match="mean of 20 draws"):
        pac_bayes_pruned(some(draws=20), log_delta=LOG_DELTA)


def test_it_covers_problems_of_known_risk() -> None:
    """At delta = 0.2 of 400 problems; were the true rate 0.2, the exact interval would miss it with probability below 0.025."""
    needs, risks = known_risk(np.random.default_rng(0), 400)
    seen = counted(find("pac-bayes-pruned"), needs, risks, 0.2)
    assert seen.low <= 0.2
    assert find("pac-bayes-pruned").fields["standing"] is Status.VALID
    # a Gibbs predictor that was chosen on the sample: without its price the bound would fail far more often than delta
    free = replace(needs["pruned"], bits=np.zeros(400), nats=np.zeros(400), draws=10**9)
    assert (free.risk < risks).mean() > 0.5


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pruned_networks, "SHARES", (0.3, 0.1))
    monkeypatch.setattr(pruned_networks, "NOISES", (0.0, 0.2))
    monkeypatch.setattr(pruned_networks, "TUNING_STEPS", 60)


@pytest.mark.usefixtures("few")
def test_two_networks_are_pruned_and_certified_end_to_end() -> None:
    draw = torch.Generator().manual_seed(0)
    x = torch.randn(900, 10, generator=draw)
    y = (x[:, 0] > 0).long()
    networks = [nn.Sequential(nn.Linear(10, 12), nn.ReLU(), nn.Linear(12, 2)) for _ in "ab"]
    initial = [nn.Sequential(nn.Linear(10, 12), nn.ReLU(), nn.Linear(12, 2)) for _ in "ab"]
    for network in networks:
        optimizer = torch.optim.Adam(network.parameters(), lr=0.02)
        for _ in range(150):
            optimizer.zero_grad()
            nn.functional.cross_entropy(network(x[:800]), y[:800]).backward()
            optimizer.step()
    subject = Subject(networks, (x[:800], y[:800]), (x[800:], y[800:]), initial=initial)
    evidence = Evidence(subject, seed=3, recipe=Recipe(optimizer="adam", lr=1e-2, batch_size=50, steps=100))
    found = issued(find("pac-bayes-pruned"), evidence, 0.05)
    assert [one.status for one in found] == [Status.VALID] * 2
    assert all(one.value is not None and one.empirical_risk < one.value < 0.9 for one in found)
    assert found[0].certifies == "a Gibbs predictor around this network pruned, tuned and quantised"
    drawn = evidence["pruned"]
    assert set(drawn.terms["weights kept"]) <= {
        round(0.3 * subject.population.size),
        round(0.1 * subject.population.size),
    }
    assert [sum(parts.values()) for parts in drawn.parts] == drawn.bits.tolist()
    assert drawn.draws >= 100_000
    assert float(drawn.terms["risk without noise"].max()) < 0.4


def test_running_statistics_that_no_message_pays_for_are_refused() -> None:
    evidence = Evidence(ALL["cnn"]().subject(), seed=0)
    with pytest.raises(NotApplicable, match=r"running_mean' was moved by the training data"):
        evidence["pruned"]
