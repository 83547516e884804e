"""Training objectives and losses against the formulas of the digest, section 2."""

import math

import pytest
import torch

from heldout.engine.posteriors.inequalities import pac_bayes_kl_upper
from heldout.engine.posteriors.objectives import OBJECTIVES, Terms, objective_named, surrogate, zero_one
from heldout.records import Refusal


def terms(risk: float, nats: float, n: int, delta: float, trade: float = 1.0) -> Terms:
    """Of one member, float64."""
    risk_, nats_, trade_ = (torch.tensor([value], dtype=torch.float64) for value in (risk, nats, trade))
    return Terms(risk_, nats_, n, math.log(delta), trade_)


@pytest.mark.parametrize(
    ("risk", "nats", "n", "delta"), [(0.05, 100.0, 30_000, 0.01), (0.289307, 1724.0, 30_000, 0.05)]
)
def test_against_the_digest(risk: float, nats: float, n: int, delta: float) -> None:
    b = nats + math.log(2 * math.sqrt(n) / delta)
    best = 2 / (math.sqrt(2 * n * risk / b + 1) + 1)
    values = {name: f(terms(risk, nats, n, delta, best)).item() for name, f in OBJECTIVES.items()}
    moment = risk + b / n + math.sqrt(b / n * (b / n + 2 * risk))
    assert values["quadratic"] == pytest.approx(moment, rel=1e-12)
    assert values["lambda"] == pytest.approx(moment, rel=1e-12)
    assert values["classic"] == pytest.approx(risk + math.sqrt(b / (2 * n)), rel=1e-12)
    theirs = math.sqrt((nats + math.log(n / delta)) / (2 * (n - 1)))
    assert values["dziugaite-roy"] == pytest.approx(risk + theirs, rel=1e-12)
    exact = float(pac_bayes_kl_upper(risk, nats, n, math.log(delta)))
    assert all(exact <= values[name] + 1e-12 for name in ("quadratic", "lambda", "classic"))
    other = OBJECTIVES["lambda"](terms(risk, nats, n, delta, 1.5)).item()
    assert other == pytest.approx(risk / 0.25 + b / (n * 1.5 * 0.25), rel=1e-12)


def test_the_printed_relaxation_of_the_digest() -> None:
    given = terms(0.289307, 1724.0, 30_000, 0.05)
    assert OBJECTIVES["quadratic"](given).item() == pytest.approx(0.53879, abs=6e-6)


def test_an_unknown_objective_is_refused() -> None:
    with pytest.raises(
        Refusal, match="objective was 'elbo'; expected one of quadratic, lambda, classic, dziugaite-roy"
    ):
        objective_named("elbo")


def test_the_surrogate_is_clamped_cross_entropy_in_units() -> None:
    outputs = torch.tensor([[math.log(3.0), 0.0], [0.0, 50.0]], dtype=torch.float64)
    labels = torch.tensor([0, 0])
    losses = surrogate(outputs, labels, binary=False, floor=1e-3, unit=2.0)
    assert losses.tolist() == pytest.approx([math.log(4 / 3) / 2, math.log(1e3) / 2])
    logit = torch.tensor([[0.3], [-2.0]], dtype=torch.float64)
    both = surrogate(logit, torch.tensor([1, 0]), binary=True, floor=1e-9, unit=1.0)
    assert both.tolist() == pytest.approx([math.log1p(math.exp(-0.3)), math.log1p(math.exp(-2.0))])


def test_zero_one_errors() -> None:
    scores = torch.tensor([[1.0, 2.0], [1.0, 1.0], [math.nan, 5.0]])
    assert zero_one(scores, torch.tensor([1, 0, 1]), binary=False).tolist() == [False, False, True]
    logits = torch.tensor([[0.1], [-0.1], [math.inf]])
    assert zero_one(logits, torch.tensor([1, 1, 1]), binary=True).tolist() == [False, True, True]
