"""What more data would bring: exact curves, coverage on known laws, when it abstains, what it refuses."""

import json

import numpy as np
import pytest

from heldout.engine.watching.extrapolation import more_data
from heldout.records import Refusal

SIZES = np.array([100.0, 200, 400, 800, 1600])


@pytest.mark.parametrize(("a", "b", "c"), [(0.05, 3.0, 0.6), (0.0, 2.0, 0.5), (0.3, 0.0, 0.5), (0.02, 1.0, 0.3)])
def test_an_exact_law_is_continued(a: float, b: float, c: float) -> None:
    found = more_data(SIZES, a + b * SIZES**-c, 10**7, target=6400)
    truth = a + b * 6400**-c
    assert found.value == pytest.approx(truth, abs=2e-4)
    assert found.low <= truth <= found.high  # type: ignore[operator]
    assert found.target == 6400
    assert found.reason == ""
    json.dumps(found.to_dict(), allow_nan=False)


@pytest.mark.parametrize(("a", "b", "c"), [(0.05, 3.0, 0.6), (0.0, 0.8, 0.2)], ids=["floor", "no-floor"])
def test_the_interval_holds_the_truth_as_often_as_it_says(a: float, b: float, c: float) -> None:
    """60 of 80 at confidence 0.95: P[Bin(80, 0.94) < 60] < 1e-6; and it is no wider than a tenth."""
    generator, truth = np.random.default_rng(0), a + b * 3200**-c
    runs = [more_data(SIZES, generator.binomial(1000, a + b * SIZES**-c) / 1000, 1000) for _ in range(80)]
    said = [run for run in runs if run.value is not None]
    assert len(said) >= 70  # it abstains in one of a hundred
    assert sum(run.low <= truth <= run.high for run in said) >= 60 - (80 - len(said))  # type: ignore[operator]
    assert np.mean([run.high - run.low for run in said]) < 0.1  # type: ignore[operator]


def test_trainings_that_differ_widen_the_interval() -> None:
    generator = np.random.default_rng(1)
    law = 0.05 + 3 * SIZES**-0.6
    table = law[:, None] * (1 + 0.1 * generator.standard_normal((5, 4)))
    several = more_data(SIZES, table, 100_000)
    alone = more_data(SIZES, law * [1.1, 0.9, 1.1, 0.9, 1.1], 100_000)
    assert several.value is not None
    assert several.low < 0.05 + 3 * 3200**-0.6 < several.high  # type: ignore[operator]
    assert alone.value is None  # a hundred thousand test examples do not explain what trainings differ by
    assert "train each size several times" in alone.reason


def test_order_of_sizes_does_not_matter_and_confidence_does() -> None:
    errors = np.array([0.24, 0.17, 0.14, 0.1, 0.09])
    found, turned = more_data(SIZES, errors, 500), more_data(SIZES[::-1], errors[::-1], 500)
    assert found == turned
    assert found.now == 0.09
    narrow = more_data(SIZES, errors, 500, confidence=0.5)
    assert found.low < narrow.low < narrow.high < found.high  # type: ignore[operator]


def test_errors_that_rise_with_the_data_are_no_power_law() -> None:
    found = more_data(SIZES, [0.1, 0.12, 0.15, 0.2, 0.3], 5000)
    assert (found.value, found.low) == (None, None)
    assert "no power law" in found.reason


def test_no_error_at_all_is_not_certainty() -> None:
    found = more_data(SIZES, [0.05, 0.02, 0.01, 0.0, 0.0], 200)
    assert found.low < 1e-5  # type: ignore[operator]
    assert 0.001 < found.high < 0.05  # type: ignore[operator]


def test_all_faults_are_said_together() -> None:
    with pytest.raises(Refusal, match="4 faults") as refusal:
        more_data([100, 200, 300], [10, 20, 30], 0, target=50)
    assert all(
        word in str(refusal.value) for word in ("at least 4", "divide by 100", "examples was 0", "beyond the largest")
    )


@pytest.mark.parametrize(
    ("sizes", "errors", "said"),
    [
        ([100, 100, 200, 400, 800], [0.1] * 5, "each once"),
        ([100, 110, 120, 130], [0.1] * 4, "factor of 4"),
        ([100, 200, 400, 800], [0.1] * 3, "one row of errors a size"),
    ],
)
def test_sizes_that_say_nothing_are_refused(sizes: list[float], errors: list[float], said: str) -> None:
    with pytest.raises(Refusal, match=said):
        more_data(sizes, errors, 100)
