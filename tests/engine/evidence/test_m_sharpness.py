"""Sharpness on batches against its limits at small radius, which are exact."""

import numpy as np
import pytest
import torch
from tests import cases
from tests.oracles import curvature as oracle
from torch import nn

from heldout.engine.evidence import nearby_losses
from heldout.engine.evidence.m_sharpness import BatchRises, average, has_several_logits, mean_rise, worst
from heldout.engine.evidence.resolving import Evidence
from heldout.engine.subject import Subject
from heldout.records import NotApplicable


def logistic(*, minimum: bool) -> tuple[Subject, np.ndarray, np.ndarray, np.ndarray]:
    """Subject in float64, its weights, gradient and Hessian; at the minimum or away from it."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(100, 5)) * [2, 1, 1, 0.5, 0.2], rng.integers(0, 2, 100)
    padded, w = np.c_[x, np.ones(100)], np.zeros(6) if minimum else rng.normal(size=6)
    for _ in range(50 if minimum else 0):  # Newton
        s = 1 / (1 + np.exp(-padded @ w))
        w = w - np.linalg.solve(oracle.of_logistic_regression(x, padded @ w), padded.T @ (s - y) / 100)
    layer = nn.Linear(5, 1).double()
    layer.weight.data, layer.bias.data = torch.tensor(w[None, :5]), torch.tensor(w[5:])
    s = 1 / (1 + np.exp(-padded @ w))
    subject = Subject(layer, (torch.tensor(x), torch.tensor(y)), loss="binary-cross-entropy")
    return subject, w, padded.T @ (s - y) / 100, oracle.of_logistic_regression(x, padded @ w)


@pytest.mark.parametrize("adaptive", [False, True])
def test_at_a_minimum_the_worst_case_is_half_rho_squared_lambda_max(adaptive: bool) -> None:
    subject, w, gradient, matrix = logistic(minimum=True)
    assert np.abs(gradient).max() < 1e-12
    c = np.abs(w) if adaptive else np.ones(6)
    top = np.linalg.eigvalsh(c[:, None] * matrix * c)[-1]
    found = worst(subject, 0, norm="l2", radius=1e-3, adaptive=adaptive, steps=100)
    assert found.rises.item() == pytest.approx(1e-6 / 2 * top, rel=2e-3)
    assert found.rises.item() < 1e-6 / 2 * top * 1.002
    assert found.late.item() < 0.01 * found.rises.item()


@pytest.mark.parametrize("adaptive", [False, True])
def test_away_from_it_the_worst_case_is_rho_times_the_dual_norm_of_the_gradient(adaptive: bool) -> None:
    subject, w, gradient, _ = logistic(minimum=False)
    scaled = (np.abs(w) if adaptive else 1.0) * gradient
    box = worst(subject, 0, norm="linf", radius=1e-5, adaptive=adaptive)
    ball = worst(subject, 0, norm="l2", radius=1e-5, adaptive=adaptive)
    assert box.rises.item() == pytest.approx(1e-5 * np.abs(scaled).sum(), rel=1e-3)
    assert ball.rises.item() == pytest.approx(1e-5 * np.linalg.norm(scaled), rel=1e-3)


@pytest.mark.parametrize("adaptive", [False, True])
@pytest.mark.parametrize(("norm", "variance"), [("l2", 1.0), ("linf", 1 / 3)])
def test_the_average_is_half_rho_squared_the_trace(adaptive: bool, norm: str, variance: float) -> None:
    subject, w, _, matrix = logistic(minimum=False)
    c = np.abs(w) if adaptive else np.ones(6)
    found = average(subject, 0, norm=norm, radius=1e-3, adaptive=adaptive, pairs=2000)
    expected = 1e-6 / 2 * variance * np.trace(c[:, None] * matrix * c)
    spread = found.spread.item()
    assert abs(found.rises.item() - expected) < 5 * spread  # a chance below 1e-6; the seed is fixed
    assert spread < 0.03 * expected


def test_batches_members_and_draws_do_not_see_how_the_work_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nearby_losses, "BATCH", 20)
    members = [cases.mlp(seed=seed) for seed in range(2)]
    settings = {"norm": "l2", "radius": 0.2, "adaptive": True}
    found = [
        (worst(subject, 0, **settings, steps=6), average(subject, 0, **settings, pairs=3))
        for subject in (cases.together(members), cases.together(members, memory=20_000))
    ]
    for kind in (0, 1):
        whole, cut = found[0][kind], found[1][kind]
        assert whole.rises.shape == (2, 3)
        assert whole.whole
        torch.testing.assert_close(whole.rises, cut.rises, rtol=1e-4, atol=1e-7)
        alone = (worst, average)[kind](members[1].subject(), 0, **settings, **({"steps": 6}, {"pairs": 3})[kind])
        torch.testing.assert_close(alone.rises[0], whole.rises[1], rtol=1e-4, atol=1e-7)
    # The largest mean over all batches cannot exceed the mean of the batches' own largest.
    together = cases.together(members)
    monkeypatch.setattr(nearby_losses, "BATCH", 60)
    assert (worst(together, 0, **settings).rises[:, 0] < worst_of_batches(together, monkeypatch)).all()


def worst_of_batches(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> torch.Tensor:
    monkeypatch.setattr(nearby_losses, "BATCH", 20)
    return worst(subject, 0, norm="l2", radius=0.2, adaptive=True).rises.mean(1)


def test_larger_balls_hold_more() -> None:
    subject = cases.mlp().subject()
    rises = [worst(subject, 0, norm=norm, radius=r).rises.item() for norm in ("l2", "linf") for r in (0.01, 0.05)]
    assert 0 < rises[0] < rises[1]
    assert 0 < rises[2] < rises[3]
    assert rises[0] < rises[2]  # the box holds the ball


def test_passes_are_counted() -> None:
    subject = cases.mlp().subject()
    worst(subject, 0, norm="l2", radius=0.1, steps=5)
    # the centre, the start and five steps; no gradient in the centre
    assert (subject.population.tally.forward, subject.population.tally.backward) == (7 * 60, 6 * 60)


def test_one_logit_has_no_direction() -> None:
    with pytest.raises(NotApplicable, match="one logit"):
        has_several_logits(logistic(minimum=False)[0])
    with pytest.raises(NotApplicable, match="regression"):
        has_several_logits(cases.regression().subject())
    has_several_logits(cases.mlp().subject())


def test_the_mean_over_batches_and_what_is_known_of_it() -> None:
    none, two = torch.zeros(2), torch.tensor([1.0, 3.0], dtype=torch.float64)
    found = mean_rise(BatchRises(two, none, none, whole=False))
    assert (found.value.item(), found.standard_error.item()) == (2.0, 1.0)
    assert mean_rise(BatchRises(two, none + 0.19, none, whole=False)).converged.item()
    assert not mean_rise(BatchRises(two, none + 0.21, none, whole=False)).converged.item()
    one, spread = torch.tensor([2.0]), torch.tensor([0.5])
    assert mean_rise(BatchRises(one, none[:1], spread, whole=True)).standard_error.item() == 0.5
    assert mean_rise(BatchRises(one, none[:1], spread, whole=False)).standard_error.isnan().item()


def test_settings_of_the_evidence() -> None:
    subject = cases.mlp().subject()
    evidence = Evidence(subject)
    own = {
        "worst_rises_l2": worst(subject, 0, norm="l2", radius=0.05),
        "worst_rises_linf": worst(subject, 0, norm="linf", radius=0.002),
        "adaptive_worst_rises_l2": worst(subject, 0, norm="l2", radius=0.5, adaptive=True),
        "adaptive_worst_rises_linf": worst(subject, 0, norm="linf", radius=0.01, adaptive=True),
        "normalised_worst_rises_linf": worst(subject, 0, norm="linf", radius=0.01, adaptive=True, normalised=True),
        "average_rises": average(subject, 0, norm="l2", radius=0.01),
        "normalised_average_rises_linf": average(subject, 0, norm="linf", radius=0.1, adaptive=True, normalised=True),
    }
    for name, found in own.items():
        assert evidence[name].rises.item() == found.rises.item()
    assert len({found.rises.item() for found in own.values()}) == len(own)
