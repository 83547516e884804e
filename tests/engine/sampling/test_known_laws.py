"""The exact values against the literature's, and automatic settings against the exact values."""

import math

import numpy as np
import pytest
import torch
from tests.oracles import posteriors as oracle
from tests.oracles.posterior_data import GaussianMean, Product

from heldout.engine.sampling import Settings, sample
from heldout.engine.sampling.convergence import monte_carlo_error
from heldout.posterior.information_criteria import waic
from heldout.posterior.predictive_losses import bayes_training_loss, functional_variance

AT_10000 = 10_000 / math.log(10_000)


@pytest.mark.parametrize(
    ("a", "b", "gamma", "value"),
    [(1, 1, 1.0, 0.3912), (1, 1, 10.0, 0.2933), (1, 1, 100.0, 0.0644), (2, 2, 1.0, 0.1658), (2, 2, 10.0, 0.0556)],
)
def test_normal_crossings_under_a_gaussian(a: int, b: int, gamma: float, value: float) -> None:
    """Test vector T3: what a localisation erases."""
    assert oracle.normal_crossing_coefficient(a, b, AT_10000, gamma) == pytest.approx(value, abs=1e-4)


@pytest.mark.parametrize(("k", "value"), [(1, 0.5), (2, 0.25), (3, 1 / 6)])
def test_one_dimension_without_one(k: int, value: float) -> None:
    """Test vector T2; and a multiplicity of two is missing ``1 / (ln t + 0.5772 + 2 ln 2)`` on the square."""
    assert oracle.one_dimensional_coefficient(k, AT_10000) == pytest.approx(value, abs=1e-4)


@pytest.mark.parametrize(
    ("m", "n", "h", "r", "value"),
    [
        (5, 5, 3, 0, (13 / 2, 2)), (5, 5, 3, 2, (19 / 2, 2)), (5, 5, 4, 0, (8, 1)), (4, 8, 3, 1, (17 / 2, 1)),
        (8, 4, 3, 1, (17 / 2, 1)), (3, 4, 8, 2, (6, 1)), (2, 2, 2, 1, (2, 2)), (10, 10, 5, 3, (32, 1)), (1, 1, 1, 0, (1 / 2, 2)),
    ],
)  # fmt: skip
def test_reduced_rank_regression(m: int, n: int, h: int, r: int, value: tuple[float, int]) -> None:
    """Test vector T4 (Aoyagi and Watanabe 2005)."""
    assert oracle.reduced_rank_coefficient(m, n, h, r) == value


@pytest.mark.parametrize(("ranks", "value"), [((0, 0), 9.5), ((4, 0), 10.5), ((0, 5), 12.5), ((5, 0), 12.5)])
def test_the_coefficient_is_that_of_the_point(ranks: tuple[int, int], value: float) -> None:
    """Test vector T6: one fibre, several values."""
    assert oracle.local_rank_coefficient(5, 5, 5, 0, *ranks) == value


def test_the_singular_point_of_rank_one_tends_to_the_theorem() -> None:
    """``1 / 2`` with multiplicity two for one input and one output: it is missing ``1 / (ln t + ln 8 - 0.5772)``."""
    found = [oracle.reduced_rank_origin_coefficient(1, 1, t, 1.0) for t in (1e3, 1e6, 1e12)]
    assert found == sorted(found)
    assert 0.5 - found[-1] == pytest.approx(1 / (math.log(8e12) - 0.5772157), rel=1e-4)
    assert oracle.normal_crossing_coefficient(1, 1, 200.0, 1.0) == pytest.approx(
        oracle.reduced_rank_origin_coefficient(1, 1, 400.0, 1.0), abs=2e-3
    )


def test_two_points_of_one_fibre_by_their_integrals() -> None:
    """Test vector T6 for 3 x 2 x 5: 3 at the origin and 7 / 2 where A has rank one, each the limit of its integral.

    A Gaussian that reaches the origin from there makes the second 3 again: the number is that of a point only if it is held.
    """
    origin, held, loose = (
        [oracle.two_hidden_coefficient(3, 5, t * gamma**2, gamma, height) for t in (1e3, 1e6, 1e9)]
        for height, gamma in ((0.0, 1.0), (1.5, 100.0), (3.0, 1.0))
    )
    assert origin[-1] == pytest.approx(oracle.local_rank_coefficient(3, 5, 2, 0, 0, 0), abs=0.06)
    assert held[-1] == pytest.approx(oracle.local_rank_coefficient(3, 5, 2, 0, 1, 0), abs=0.06)
    assert loose[-1] == pytest.approx(origin[-1], abs=0.06)


def test_the_integral_over_two_hidden_units_by_drawing_them() -> None:
    """The same with 400,000 draws of A, each with the Gaussian law of B: within 5 standard errors."""
    a = np.random.default_rng(0).normal(size=(400_000, 2, 3))
    a[:, 0, 0] += 3.0
    x = oracle.NBETA * np.linalg.eigvalsh(a @ a.transpose(0, 2, 1))
    weights, values = np.prod(1 + x, axis=1) ** -1.5, 1.5 * (x / (1 + x)).sum(1)
    mean = (weights * values).sum() / weights.sum()
    error = math.sqrt(np.square(weights * (values - mean)).sum()) / weights.sum()
    assert abs(mean - oracle.two_hidden_coefficient(3, 3, oracle.NBETA, 1.0, 3.0)) < 5 * error < 0.1


def test_the_conjugate_mean_generalizes_as_printed() -> None:
    """Test vector T8, n = 20: Bayes .48790, Gibbs 1; Bayes and WAIC errors, of deviations .67 and .72, sum to .998 with .165."""
    generator, level = np.random.default_rng(2), 0.5 * math.log(2 * math.pi)
    rows = []
    for _ in range(4000):
        samples = generator.normal(size=(20, 1))
        model = GaussianMean(samples, 1.0, 0.0)
        truth = 0.5 * np.square(samples).mean() + level
        new, seen = model.generalization(), model.exact()
        rows.append((
            new["bayes-test-loss"],
            new["gibbs-test-loss"],
            seen["gibbs-training-loss"] - truth,
            seen["waic"] - truth,
        ))
    bayes, gibbs, training, criterion = 20 * np.array(rows).T
    for found, value in (
        (bayes, 0.48790),
        (gibbs, 1.0),
        (training, 0.0),
        (criterion, 0.51052),
        (bayes + criterion, 0.998),
    ):
        assert abs(found.mean() - value) < 5 * found.std() / math.sqrt(4000)
    assert [bayes.std(), criterion.std()] == pytest.approx([0.67, 0.72], abs=0.06)
    assert (bayes + criterion).std() == pytest.approx(0.165, abs=0.02)


def test_the_singular_product_has_the_printed_averages() -> None:
    """Test vector T9, n = 100, a and b uniform: within 5 standard errors of both, over 300 sets of data."""
    generator, rows = np.random.default_rng(3), []
    for _ in range(300):
        model = Product(generator.normal(size=100), generator.normal(size=100), 1.0)
        exact, truth = model.uniform(1.0), 0.5 * (np.square(model.y) + math.log(2 * math.pi)).mean()
        errors = (exact[name] - truth for name in ("bayes-training-loss", "gibbs-training-loss", "waic"))
        bayes, gibbs, criterion = (100 * each for each in errors)
        rows.append((100 * exact["gibbs-test-error"], bayes, gibbs, exact["functional-variance"], criterion))
    for found, value in zip(np.array(rows).T, (0.704, -0.458, -0.088, 0.756, 0.298), strict=True):
        assert abs(found.mean() - value) < 5 * math.hypot(found.std() / math.sqrt(300), 0.02)


def test_a_tanh_unit_tends_to_one_half() -> None:
    """Test vector T7: one unit at 0, limit 1 / 2 with multiplicity 2, from below."""
    loss = oracle.tanh_unit()[1]
    found = [oracle.rectangle_coefficient(loss, t, 1.0) for t in (1e2, 1e4, 1e6)]
    assert found == sorted(found)
    assert 0.3 < found[0] < found[-1] < 0.5


def test_the_conjugate_mean_has_the_printed_expectations() -> None:
    """Test vector T8, n = 20, one coordinate: ``E[V_n] = .975`` and ``n E[Bayes training error] = -.46448``."""
    generator, variances, trainings = np.random.default_rng(0), [], []
    for _ in range(4000):
        samples = generator.normal(size=(20, 1))
        exact = GaussianMean(samples, 1.0, 0.0).exact()
        variances.append(exact["functional-variance"])
        trainings.append(
            20 * (exact["bayes-training-loss"] - 0.5 * (np.square(samples).mean() + math.log(2 * math.pi)))
        )
    for found, value in ((variances, 0.975), (trainings, -0.46448)):
        assert abs(np.mean(found) - value) < 5 * np.std(found) / math.sqrt(4000)


def test_the_singular_product_by_two_routes() -> None:
    """Without data to speak of (all inputs 1, outputs 0) the product model is a normal crossing."""
    model = Product(np.ones(50), np.zeros(50), 1.0)
    assert model.exact(2.0)["learning-coefficient"] == pytest.approx(
        oracle.rectangle_coefficient(lambda a, b: 0.5 * (a * b) ** 2, 100.0, 1.0), rel=2e-3
    )


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_every_observable_of_the_singular_product(seed: int) -> None:
    """Test vector T9, automatic settings: within 5 standard errors."""
    generator = np.random.default_rng(seed)
    model = Product(generator.normal(size=100), generator.normal(size=100), 1.0)
    draws = sample(oracle.target(model.field, nbeta=100.0), Settings(precision=0.05, seed=seed))[0]
    assert draws.equilibrium.converged, draws.equilibrium.reason
    exact, losses = model.exact(1.0), draws.recorded.losses
    series = 100.0 * (draws.recorded.mean_losses - draws.centre_losses.mean())
    for name, (value, influence) in {
        "learning-coefficient": (series.mean(), series),
        "waic": waic(losses, 1.0),
        "bayes-training-loss": bayes_training_loss(losses),
        "functional-variance": functional_variance(losses),
    }.items():
        assert abs(value - exact[name]) < 5 * monte_carlo_error(influence), name


@pytest.mark.slow
@pytest.mark.parametrize(
    ("field", "nbeta", "exact"),
    [
        (oracle.tanh_unit()[0], 144.8, oracle.rectangle_coefficient(oracle.tanh_unit()[1], 144.8, 1.0)),
        (oracle.rank_one_origin(5, 5), 144.8, oracle.reduced_rank_origin_coefficient(5, 5, 144.8, 1.0)),
        (oracle.full_rank_fibre(3), 1448.0, 4.5),
        (oracle.normal_crossing(1, 1), 144.8, oracle.normal_crossing_coefficient(1, 1, 144.8, 1.0)),
    ],
    ids=["tanh unit", "reduced rank", "deep linear", "normal crossing"],
)
def test_singular_points_with_nothing_chosen(field: oracle.LossField, nbeta: float, exact: float) -> None:
    draws = sample(oracle.target(field, nbeta=nbeta), Settings(precision=0.05, seed=1))[0]
    assert draws.equilibrium.converged, draws.equilibrium.reason
    series = nbeta * (draws.recorded.mean_losses - draws.centre_losses.mean())
    assert abs(series.mean() - exact) < 5 * monte_carlo_error(series)
    assert torch.isfinite(torch.tensor(draws.effective))
