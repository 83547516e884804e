"""Learn then test: p-values against exact sums, the two methods by hand, and coverage on a grid of known risks."""

import math

import numpy as np
import pytest
from scipy.special import comb

from heldout.engine.numerics.risk_control import hoeffding_bentkus, learn_then_test
from heldout.records import Refusal


@pytest.mark.parametrize(("k", "n", "target"), [(0, 100, 0.05), (3, 100, 0.1), (20, 50, 0.5), (60, 100, 0.5)])
def test_the_p_value(k: int, n: int, target: float) -> None:
    mean = min(k / n, target)
    divergence = (mean * math.log(mean / target) if mean else 0.0) + (1 - mean) * math.log((1 - mean) / (1 - target))
    tail = sum(comb(n, i, exact=True) * target**i * (1 - target) ** (n - i) for i in range(k + 1))
    assert hoeffding_bentkus(k / n, n, target) == pytest.approx(
        min(math.exp(-n * divergence), math.e * tail, 1.0), rel=1e-9
    )


def made(*errors: int, n: int = 100) -> np.ndarray:
    return np.stack([np.arange(n) < k for k in errors]).astype(float)


def test_bonferroni_holm_steps_down_and_fixed_sequence_stops() -> None:
    losses = made(1, 30, 2)  # p-values at a target of 0.1: about 4e-4, 1, 2e-3
    assert learn_then_test(losses, 0.1).tolist() == [True, False, True]
    assert learn_then_test(losses, 0.1, method="fixed-sequence").tolist() == [True, False, False]
    p = hoeffding_bentkus(0.02, 100, 0.1)
    # the smallest of three is tested at delta / 3, the next at delta / 2
    assert learn_then_test(losses, 0.1, delta=float(p) * 1.99).tolist() == [True, False, False]
    assert learn_then_test(losses, 0.1, delta=float(p) * 2.01).tolist() == [True, False, True]


@pytest.mark.parametrize("method", ["bonferroni-holm", "fixed-sequence"])
def test_no_setting_above_the_target_is_named_more_often_than_delta(method: str) -> None:
    """2,000 grids whose risks lie at 0.05 to 0.12; those above 0.1 are wrong to name. 5.2 standard deviations: below 1e-6."""
    draw = np.random.default_rng(0)
    risks = np.array([0.05, 0.08, 0.101, 0.12])
    wrong = 0
    for _ in range(2000):
        losses = (draw.random((200, 1)) < risks).T.astype(float)
        wrong += bool(learn_then_test(losses, 0.1, delta=0.2, method=method)[risks > 0.1].any())
    assert wrong <= 2000 * 0.2 + 5.2 * math.sqrt(2000 * 0.16)


@pytest.mark.parametrize(
    "wrong",
    [{"target": 0.0}, {"delta": 1.0}, {"method": "holm"}, {"losses": np.zeros(5)}, {"losses": np.full((1, 3), 2.0)}],
)
def test_what_cannot_be_tested_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(Refusal, match="expected"):
        learn_then_test(**{"losses": np.zeros((2, 3)), "target": 0.1, **wrong})  # type: ignore[arg-type]
