"""Norm bounds: formulas typed again for known matrices, the supremum of a linear class, invariances, prices, a real subject."""

import math

import numpy as np
import pytest
import torch
from tests import cases
from torch import nn

import heldout
from heldout.bounds.norms import (
    exponential_margin,
    frobenius_margin,
    random_directions,
    row_sum_margin,
    spectral_margin,
)
from heldout.engine.evidence.layer_norms import LEVELS
from heldout.engine.evidence.resolving import Evidence
from heldout.engine.subject import Subject
from heldout.records import Bounded, Status
from heldout.verbs.simulate import simulate_family

BOUNDS = (spectral_margin, frobenius_margin, exponential_margin, row_sum_margin)
LOG_DELTA = math.log(0.05)


def risen(value: float, base: float) -> tuple[float, float]:
    level = math.ceil(math.log(value) / math.log(base))
    return base**level, math.log((math.pi**2 / 3 - 1) * (abs(level) + 1) ** 2)


def subject(scale: float = 1.0, n: int = 200) -> Subject:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(3, 5, bias=False), nn.ReLU(), nn.Linear(5, 2, bias=False))
    with torch.no_grad():
        network[0].weight.mul_(scale)
        network[2].weight.div_(scale)
    x = torch.randn(n, 3)
    return Subject(network, (x, (x[:, 0] > 0).long()))


def asked(one: Subject) -> dict[str, Bounded]:
    evidence = Evidence(one)
    needs = {name: evidence[name] for name in ("layer_norms", "margin_shares")}
    return {bound.__name__: bound(**needs, log_delta=LOG_DELTA) for bound in BOUNDS}


def test_against_formulas_typed_again() -> None:
    one, found = subject(), asked(subject())
    w1, w2 = (p.detach().double().numpy() for p in one.population.member(0).parameters())
    a1 = np.block([[w1, np.zeros((5, 1))], [np.zeros((1, 3)), np.ones((1, 1))]])
    a2 = np.concatenate([w2, np.zeros((2, 1))], axis=1)
    x = np.concatenate([one.train.x.double().numpy(), np.ones((200, 1))], axis=1)
    n, base = 200, 2 ** (1 / 4)
    (f, pf), (r, pr) = risen(np.linalg.norm(a1), base), risen(np.linalg.norm(a2, axis=1).max(), base)
    golowich = 2 * 2 * (math.sqrt(4 * math.log(2)) + 1) / n * np.linalg.norm(x) * f * r
    peeled = 2 * 2 * 2 / n * np.linalg.norm(x) * f * r
    rows = [risen(np.abs(a).sum(1).max(), base) for a in (a1, a2)]
    sums = 2 * 2 * 2 / n * math.sqrt(3 + math.log(4)) * np.sqrt((x**2).sum(0).max()) * rows[0][0] * rows[1][0]
    spectral = [risen(np.linalg.norm(a, 2), base) for a in (a1, a2)]
    distance = [risen(np.linalg.norm(a, axis=1).sum(), base) for a in (a1, a2)]
    ratio = sum((b / s) ** (2 / 3) for (b, _), (s, _) in zip(distance, spectral, strict=True)) ** 1.5
    width = 6
    bft = 72 * math.sqrt(2) * np.linalg.norm(x) * math.log(n) * math.sqrt(math.log(2 * width**2)) / n
    bft *= spectral[0][0] * spectral[1][0] * ratio
    logits = np.maximum(x @ a1.T, 0) @ a2.T
    y = one.train.y.numpy()
    margins = logits[np.arange(n), y] - logits[np.arange(n), 1 - y]
    for name, complexity, price, extra in (
        ("frobenius_margin", golowich, pf + pr, 0.0),
        ("exponential_margin", peeled, pf + pr, 0.0),
        ("row_sum_margin", sums, rows[0][1] + rows[1][1], 0.0),
        ("spectral_margin", bft, sum(p for _, p in (*spectral, *distance)), 4 / n**1.5),
    ):
        values = []
        for level in LEVELS:
            gamma = math.sqrt(2) ** level
            paid = math.log(2 / 0.05) + price + math.log((math.pi**2 / 3 - 1) * (abs(level) + 1) ** 2)
            values.append(
                (margins <= gamma).mean() + 2 * complexity / gamma + 2 * extra + 3 * math.sqrt(paid / (2 * n))
            )
        assert found[name].value[0] == pytest.approx(min(values), rel=1e-6), name


@pytest.mark.parametrize("bound", [frobenius_margin, exponential_margin, row_sum_margin])
def test_the_complexity_of_a_linear_class_is_never_below_its_supremum(bound) -> None:  # type: ignore[no-untyped-def]
    # of scores (w.x, -w.x) with |w| <= 1 the margin is 2 y w.x; its Rademacher complexity is E|2 sum sigma x| / n
    draws = np.random.default_rng(0)
    needs, _ = random_directions(draws, 1)
    angles = (np.arange(64) + 0.5) * (2 * np.pi / 64)
    counts = draws.multinomial(20000, np.full(64, 1 / 64))
    x = np.repeat(np.stack([np.cos(angles), np.sin(angles)], axis=1), counts, axis=0)
    exact = np.mean([2 * np.linalg.norm(draws.choice([-1.0, 1.0], 20000) @ x) for _ in range(100)]) / 20000
    said = bound(**needs, log_delta=LOG_DELTA)
    assert exact < np.exp(said.terms["log of the complexity at margin 1"][0])


def test_rescaling_two_layers_of_biasless_relus_changes_products_by_their_levels_alone() -> None:
    base, moved = asked(subject()), asked(subject(scale=4.0))
    for name in ("frobenius_margin", "exponential_margin"):
        logs = [found[name].terms["log of the complexity at margin 1"][0] for found in (base, moved)]
        # the row (0, 1) that carries biases does not scale, and levels are a fourth of an octave each
        assert abs(logs[0] - logs[1]) < 0.5


def test_a_network_scaled_as_a_whole_moves_its_margin_with_it() -> None:
    one = subject()
    louder = Subject(nn.Sequential(nn.Linear(3, 5, bias=False), nn.ReLU(), nn.Linear(5, 2, bias=False)), one.train)
    state = {key: value.clone() for key, value in one.population.member(0).state_dict().items()}
    state["2.weight"] *= 8
    network = nn.Sequential(nn.Linear(3, 5, bias=False), nn.ReLU(), nn.Linear(5, 2, bias=False))
    network.load_state_dict(state)
    louder = Subject(network, (one.train.x, one.train.y))
    before, after = asked(one)["frobenius_margin"], asked(louder)["frobenius_margin"]
    assert after.terms["margin"][0] == pytest.approx(8 * before.terms["margin"][0], rel=0.5)
    assert after.value[0] == pytest.approx(before.value[0], rel=0.1)


def test_simulated_and_not_all_empty() -> None:
    needs, risks = random_directions(np.random.default_rng(3), 100)
    assert (frobenius_margin(**needs, log_delta=LOG_DELTA).value < 1).all()
    assert (needs["margin_shares"].shares[:, -1] <= 1).all()
    assert set(risks) == {0.5}
    assert all(row["violations"] == 0 for row in simulate_family("norm", problems=200))


def test_on_real_networks_they_are_empty_by_much_and_the_correlate_says_what_it_is() -> None:
    found = heldout.certify(cases.mlp().subject(), families=["norm"])
    by_name = {one.name: one for one in found}
    correlates = {"pac-bayes-spectral", "noise-stability-margin"}
    assert {one.status for name, one in by_name.items() if name not in correlates} == {Status.VACUOUS}
    assert {by_name[name].status for name in correlates} == {Status.CORRELATE}
    assert by_name["spectral-margin"].value > by_name["frobenius-margin"].value > 1
    assert math.isclose(sum(line.delta for line in by_name["spectral-margin"].ledger), 0.05)
    absent = heldout.certify(cases.transformer().subject(), families=["norm"]).absent
    assert "chains of dense or convolutional layers" in absent["spectral-margin"]
