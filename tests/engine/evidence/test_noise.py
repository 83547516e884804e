"""Noise scales against closed forms of linear models and slow draws in float64; the traps of the reference code."""

from copy import deepcopy
from functools import partial

import numpy as np
import pytest
import torch
from tests import architectures, cases
from tests.oracles import perturbation as oracle
from torch import nn

from heldout.engine.evidence.noise import FLOOR, NoiseScale, noise_losses, shares
from heldout.engine.evidence.resolving import Evidence
from heldout.engine.subject import Subject
from heldout.records import NotApplicable

WAYS = ("noise_scale", "magnitude_noise_scale")


def one_logit(examples: int, *, inputs: int = 6, wrong: float = 0.0, seed: int = 0) -> tuple[nn.Linear, tuple]:
    """A linear classifier with one logit, and data of which a fraction is a hair on the wrong side of it."""
    rng = np.random.default_rng(seed)
    layer = nn.Linear(inputs, 1).double()
    layer.weight.data = torch.tensor(12 * rng.normal(size=(1, inputs)))
    layer.bias.data = torch.tensor(rng.normal(size=1))
    w, b = layer.weight.data.numpy()[0], layer.bias.item()
    x = rng.normal(size=(examples, inputs))
    y = rng.integers(0, 2, examples)
    margin = 18 + 12 * np.abs(rng.normal(size=examples))
    margin[: round(wrong * examples)] = -1e-3
    x += np.outer((2 * y - 1) * margin - (x @ w + b), w) / (w @ w)
    return layer, (torch.tensor(x), torch.tensor(y))


def exact(layer: nn.Linear, data: tuple, way: str) -> float:
    """The closed form's sigma."""
    w, b = layer.weight.data.numpy()[0], layer.bias.item()
    x, y = (part.numpy() for part in data)

    def variance(sigma: float, values: np.ndarray) -> np.ndarray:
        return np.full_like(values, sigma**2) if way == "noise_scale" else (sigma * values) ** 2 + FLOOR**2

    return oracle.crossing(lambda sigma: oracle.error_of_one_logit(w, b, x, y, partial(variance, sigma)), 0.05, 1e3)


def found(layer: nn.Module, data: tuple, way: str, seed: int = 0, loss: str = "binary-cross-entropy") -> NoiseScale:
    return Evidence(Subject(layer, train=data, loss=loss), seed=seed)[way]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("examples", "wrong"), [(40, 0.0), (500, 0.0), (500, 0.08)])
def test_the_standard_deviation_of_a_linear_classifier(way: str, examples: int, wrong: float) -> None:
    # 4 standard errors: chance below 1e-4 a case for a right implementation, and the seeds are fixed. A variance handed to
    # the sampler in place of its root (trap 1) is far outside; with 8 % hairbreadth errors the first noise
    # halves them, and that improvement is no drop (trap 2).
    layer, data = one_logit(examples, wrong=wrong)
    scale = found(layer, data, way)
    assert scale.converged.all()
    expected = exact(layer, data, way)
    assert scale.scale.item() == pytest.approx(expected, abs=4 * scale.standard_error.item())
    assert scale.standard_error.item() < 0.2 * expected
    assert way != "noise_scale" or expected - expected**0.5 > 5 * scale.standard_error.item()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("examples", [30, 400])
def test_the_standard_error_is_the_spread_over_seeds(way: str, examples: int) -> None:
    layer, data = one_logit(examples, wrong=0.05)
    runs = [found(layer, data, way, seed) for seed in range(40)]
    scales = np.array([run.scale.item() for run in runs])
    said = np.sqrt(np.mean([run.standard_error.item() ** 2 for run in runs]))
    # The spread of 40 normal numbers is within a factor 1.75 of their deviation but for a chance below 1e-6.
    assert 1 / 1.75 < said / scales.std(ddof=1) < 1.75
    assert scales.mean() == pytest.approx(exact(layer, data, way), abs=5 * scales.std(ddof=1) / 40**0.5 + 0.01 * said)


@pytest.mark.parametrize("way", WAYS)
def test_two_classes_on_two_outputs(way: str) -> None:
    # The difference of two noisy logits: for plain noise its variance is twice that of one.
    layer, data = one_logit(300)
    two = nn.Linear(6, 2).double()
    two.weight.data = torch.cat([torch.zeros_like(layer.weight.data), layer.weight.data])
    two.bias.data = torch.cat([torch.zeros_like(layer.bias.data), layer.bias.data])
    scale = found(two, data, way, loss="cross-entropy")
    # Weights of zero get the noise epsilon = 1e-3 only, which these margins do not feel.
    expected = exact(layer, data, way) / (2**0.5 if way == "noise_scale" else 1.0)
    assert scale.scale.item() == pytest.approx(expected, abs=4 * scale.standard_error.item())


@pytest.mark.parametrize("factor", [1e-9, 1e-3, 1e4, 1e7])
def test_no_cap_whatever_the_scale_of_the_weights(factor: float) -> None:
    layer, data = one_logit(100)
    before = found(layer, data, "noise_scale")
    layer.weight.data *= factor
    layer.bias.data *= factor
    after = found(layer, data, "noise_scale")
    assert after.scale.item() == pytest.approx(factor * before.scale.item(), rel=1e-9)


def test_a_magnitude_aware_scale_far_above_two() -> None:
    # 400 equal votes: margin 400, deviation 20 sigma', error 0.1 at 20 / 1.2816.
    x = torch.tensor([1.0, -1.0]).repeat(50)[:, None].repeat(1, 400)
    layer = nn.Linear(400, 1)
    layer.weight.data.fill_(1.0)
    layer.bias.data.fill_(0.0)
    scale = found(layer, (x, (x[:, 0] > 0).long()), "magnitude_noise_scale")
    assert scale.scale.item() == pytest.approx(15.606, abs=4 * scale.standard_error.item())


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", ["mlp", "cnn", "transformer"])
def test_networks_against_slow_draws(name: str, way: str) -> None:
    make = cases.ALL[name]
    case = next(
        case for case in map(make, range(5)) if oracle.error(deepcopy(case.network).double(), *case.train) < 0.1
    )
    scale = found(case.network, case.train, way, loss="cross-entropy")
    assert scale.converged.all()
    network = oracle.folded(case.network) if name == "cnn" else case.network
    sigma, step = scale.scale.item(), 1.1

    def error_at(s: float, seed: int) -> tuple[float, float]:
        def deviation(w: torch.Tensor) -> torch.Tensor:
            return torch.full_like(w, s) if way == "noise_scale" else ((s * w) ** 2 + FLOOR**2).sqrt()

        return oracle.mean_over_noise(
            network, deviation, lambda moved: oracle.error(moved, *case.train), draws=400, seed=seed
        )

    there, error_of_there = error_at(sigma, 1)
    slope = (error_at(sigma * step, 2)[0] - error_at(sigma / step, 2)[0]) / (sigma * step - sigma / step)
    assert there == pytest.approx(0.1, abs=4 * np.hypot(error_of_there, slope * scale.standard_error.item()))


def test_an_error_beyond_the_target_has_no_scale_and_harms_no_neighbour() -> None:
    layer, data = one_logit(200)
    bad = nn.Linear(6, 1).double()
    bad.weight.data, bad.bias.data = -layer.weight.data, -layer.bias.data  # all wrong: noise can only help (trap 2)
    for way in WAYS:
        both, alone = found([layer, bad], data, way), found(layer, data, way)
        assert both.scale[1].isnan()
        assert both.converged.tolist() == [True, True]
        assert both.scale[0].item() == pytest.approx(alone.scale.item(), rel=1e-9)
        assert both.standard_error[0].item() == pytest.approx(alone.standard_error.item(), rel=1e-9)


def test_a_bracket_that_never_closes_is_not_converged() -> None:
    data = (torch.randn(20, 3, generator=torch.Generator().manual_seed(0)), torch.zeros(20, dtype=torch.long))
    scale = found(architectures.Stubborn(), data, "noise_scale", loss="cross-entropy")
    assert scale.converged.tolist() == [False]
    assert scale.sigmas.isfinite().all()


@pytest.mark.parametrize("name", ["mlp", "cnn"])
def test_alone_in_chunks_and_in_a_population(name: str) -> None:
    members = [cases.ALL[name](seed=seed) for seed in range(3)]
    whole = Evidence(cases.together(members))
    for way in (*WAYS, "noise_losses"):
        for index, case in enumerate(members):
            alone, cut = Evidence(case.subject())[way], Evidence(case.subject(memory=20_000))[way]
            together = whole[way]
            if way == "noise_losses":
                alone, cut, together = (alone,), (cut,), (together,)
            for part, piece, row in zip(alone, cut, together, strict=True):
                for one in (part, piece):
                    assert torch.allclose(one[0].double(), row[index].double(), rtol=1e-6, atol=1e-6, equal_nan=True)


@pytest.mark.parametrize("total", [1, 2, 3, 5, 17, 60, 400])
def test_the_budget(total: int) -> None:
    layer, (x, y) = one_logit(400)
    evidence = Evidence(
        Subject([layer, one_logit(400, seed=1)[0]], train=(x[:total], y[:total]), loss="binary-cross-entropy")
    )
    for way, limit in (("noise_scale", 16), ("magnitude_noise_scale", 16), ("noise_losses", 3)):
        before = evidence.subject.population.tally.forward
        evidence["errors"], evidence["losses"]
        before = evidence.subject.population.tally.forward
        evidence[way]
        spent = (evidence.subject.population.tally.forward - before) / (2 * total)
        assert spent <= limit
        assert total < 60 or spent >= 0.75 * limit


def test_draws_come_first_and_then_examples() -> None:
    for total in (1, 2, 10, 100, 1000, 100_000):
        draws, examples = shares(total, 3, lambda d: 2 * d)
        assert 2 * draws * examples <= 3 * total or total == 1
        assert examples <= total
    assert shares(60, 3, lambda d: 2 * d) == (90, 1)
    assert shares(100_000, 3, lambda d: 2 * d)[0] == 128


def test_noise_losses_of_a_linear_regression_are_exact_in_the_mean() -> None:
    # E increase = mean_i rho^2 (sum_j w_j^2 x_ij^2 + b^2): the loss is quadratic.
    rng = np.random.default_rng(0)
    x, t = rng.normal(size=(90, 4)), rng.normal(size=90)
    layer = nn.Linear(4, 1).double()
    w, b = layer.weight.data.numpy()[0], layer.bias.item()
    subject = Subject(layer, train=(torch.tensor(x), torch.tensor(t)), loss="squared-error")
    evidence = Evidence(subject)
    for rho in (0.1, 0.7):
        rise = noise_losses(subject, evidence["losses"], evidence["labels"], 0, rho=rho, sweeps=40)[0]
        expected = rho**2 * ((x**2 @ w**2).mean() + b**2)
        assert rise.mean().item() == pytest.approx(expected, abs=4 * rise.std().item() / len(rise) ** 0.5)
        assert rise.std().item() / len(rise) ** 0.5 < 0.2 * expected
    assert torch.equal(
        evidence["noise_losses"], noise_losses(subject, evidence["losses"], evidence["labels"], 0, rho=0.1)
    )


def test_regressions_have_losses_and_no_scales() -> None:
    evidence = Evidence(cases.regression().subject())
    assert evidence["noise_losses"].isfinite().all()
    with pytest.raises(NotApplicable, match="regression"):
        evidence["noise_scale"]
