"""Stability: a strongly convex problem whose stability is known, formulas typed again, orderings."""

import math

import numpy as np
import pytest

from heldout.engine.numerics.stability import convex_stability, nonconvex_stability, uniform_stability_upper


def test_gradient_descent_on_a_linear_loss_reaches_the_convex_bound() -> None:
    # loss(w, z) = w z with |z| <= 1 is 1-Lipschitz, convex, 0-smooth: w_T = -sum_t a_t z_{i_t}; swapping z_1 = 1 for -1 moves
    # w by 2 a_t whenever it is drawn, once in n steps on average, and the loss by as much: exactly 2 L^2 sum(a) / n
    n, rates = 20, np.full(200, 0.05)
    draws = np.random.default_rng(0).integers(0, n, (4000, 200))
    moved = ((draws == 0) * 2 * rates).sum(1).mean()
    assert moved == pytest.approx(float(convex_stability(1.0, rates, n)), rel=0.05)


def test_formulas_typed_again() -> None:
    beta, c, length, steps, n = 2.0, 0.3, 1.5, 500, 1000
    expected = (
        (1 + 1 / (beta * c))
        / (n - 1)
        * (2 * c * length**2) ** (1 / (beta * c + 1))
        * steps ** (beta * c / (beta * c + 1))
    )
    assert float(nonconvex_stability(length, beta, c, steps, n)) == pytest.approx(expected)
    expected = 0.1 + 2 * 0.01 + (4 * n * 0.01 + 2.0) * math.sqrt(math.log(20) / (2 * n))
    assert float(uniform_stability_upper(0.1, 0.01, n, math.log(0.05), largest=2.0)) == pytest.approx(expected)


def test_longer_training_is_less_stable() -> None:
    values = [float(nonconvex_stability(1.0, 1.0, 0.5, steps, 100)) for steps in (10, 100, 1000)]
    assert values == sorted(values)
    assert float(convex_stability(2.0, [0.1], 10)) == pytest.approx(4 * float(convex_stability(1.0, [0.1], 10)))


def test_ridge_regression_is_as_stable_as_its_known_constant() -> None:
    # Bousquet and Elisseeff, example 3, loosely: |x|, |y| <= 1, penalty l |w|^2 gives beta <= 4 (1 + 1/sqrt(l))^2 / (l n)
    draws, n, penalty = np.random.default_rng(1), 60, 0.5
    x, y = draws.uniform(-1, 1, n), draws.uniform(-1, 1, n)

    def fitted(x: np.ndarray, y: np.ndarray) -> float:
        return float((x @ y) / (x @ x + penalty * n))

    grid = np.stack(np.meshgrid(np.linspace(-1, 1, 11), np.linspace(-1, 1, 11)), -1).reshape(-1, 2)
    base, worst = fitted(x, y), 0.0
    for i in range(n):
        for new_x, new_y in grid:
            other = fitted(np.where(np.arange(n) == i, new_x, x), np.where(np.arange(n) == i, new_y, y))
            change = np.abs((grid[:, 0] * base - grid[:, 1]) ** 2 - (grid[:, 0] * other - grid[:, 1]) ** 2)
            worst = max(worst, float(change.max()))
    assert worst <= 4 * (1 + 1 / math.sqrt(penalty)) ** 2 / (penalty * n)
