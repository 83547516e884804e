"""The bound by counting parameters: the formula typed again, the logarithm of norms, coverage, a real subject."""

import math

import numpy as np
import pytest
import torch
from tests import cases
from torch import nn

import heldout
from heldout.bounds.covering import counted_directions, covering_margin
from heldout.engine.evidence.layer_norms import LEVELS
from heldout.engine.evidence.resolving import Evidence
from heldout.engine.subject import Subject
from heldout.records import Bounded, Status
from heldout.verbs.simulate import problems_of

LOG_DELTA = math.log(0.05)


def risen(value: float, base: float) -> tuple[float, float]:
    level = math.ceil(math.log(value) / math.log(base))
    return base**level, math.log((math.pi**2 / 3 - 1) * (abs(level) + 1) ** 2)


def subject(scale: float = 1.0) -> Subject:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(3, 5), nn.ReLU(), nn.Linear(5, 2))
    with torch.no_grad():
        network[2].weight.mul_(scale)
        network[2].bias.mul_(scale)
    x = torch.randn(200, 3)
    return Subject(network, (x, (x[:, 0] > 0).long()))


def asked(one: Subject) -> Bounded:
    evidence = Evidence(one)
    needs = {name: evidence[name] for name in ("layer_norms", "margin_shares", "chain")}
    return covering_margin(**needs, log_delta=LOG_DELTA)


def test_against_the_formula_typed_again() -> None:
    one = subject()
    w1, b1, w2, b2 = (p.detach().double().numpy() for p in one.population.member(0).parameters())
    a1 = np.block([[w1, b1[:, None]], [np.zeros((1, 3)), np.ones((1, 1))]])
    a2 = np.concatenate([w2, b2[:, None]], axis=1)
    x = np.concatenate([one.train.x.double().numpy(), np.ones((200, 1))], axis=1)
    logits, y = np.maximum(x @ a1.T, 0) @ a2.T, one.train.y.numpy()
    margins = logits[np.arange(200), y] - logits[np.arange(200), 1 - y]
    norms = [risen(np.linalg.norm(a, 2), 2**0.25) for a in (a1, a2)]
    distances = [risen(np.linalg.norm(a, axis=1).sum(), 2**0.25) for a in (a1, a2)]
    nats = sum(price for _, price in (*norms, *distances))
    values = []
    for level in LEVELS:
        gamma = math.sqrt(2) ** level
        reach = math.sqrt(2) / gamma * np.linalg.norm(x) / math.sqrt(200) * norms[0][0] * norms[1][0]
        complexity = min(
            alpha + math.sqrt(sum(p * math.log1p(2 * 2 * b * reach / (s * alpha))
                                  for p, (b, _), (s, _) in zip((20, 12), distances, norms, strict=True)) / 400)
            for alpha in 0.5 ** np.arange(1, 25)
        )  # fmt: skip
        paid = math.log(2 / 0.05) + nats + math.log((math.pi**2 / 3 - 1) * (abs(level) + 1) ** 2)
        values.append((margins <= gamma).mean() + 2 * complexity + 3 * math.sqrt(paid / 400))
    said = asked(one)
    assert said.value[0] == pytest.approx(min(values), rel=1e-6)
    assert said.terms["parameters"][0] == 32
    assert said.terms["log10 of that"][0] == pytest.approx(
        math.log10(said.terms["twice the complexity at the median margin"][0])
    )


def test_a_louder_last_layer_costs_a_logarithm_at_most() -> None:
    quiet, loud = (
        asked(subject()),
        asked(subject(scale=64.0)),
    )  # a power of the root of 2: the same margins, at other levels
    key = "twice the complexity at the median margin"
    assert loud.terms[key][0] == pytest.approx(quiet.terms[key][0], rel=0.05)


def test_simulated_and_not_empty_where_parameters_are_few() -> None:
    needs, risks = counted_directions(np.random.default_rng(3), 300)
    value = covering_margin(**needs, log_delta=LOG_DELTA).value
    assert ((value < 0.75) & (value >= risks)).all()
    ((_, again, _),) = problems_of(heldout.catalog.find("covering-margin"), 5, 0)
    assert set(again) == {"layer_norms", "margin_shares", "chain"}


def test_a_real_network_is_closer_by_counting_than_by_spectral_norms() -> None:
    found = heldout.certify(cases.mlp().subject(), families=["norm"])
    counted, spectral = found["covering-margin"][0], found["spectral-margin"][0]
    assert counted.status is spectral.status is Status.VACUOUS
    assert 0 < counted.terms["log10 of that"] < spectral.terms["log10 of that"]
    absent = heldout.certify(cases.transformer().subject(), families=["norm"]).absent
    assert "chains of dense or convolutional layers" in absent["covering-margin"]
