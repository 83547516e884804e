"""What more training would bring: exact curves, coverage, echoes, and when it abstains."""

import numpy as np
import pytest

from heldout.engine.watching.more_training import binned, more_training
from heldout.records import Refusal

LOG = np.array(sorted({int(2**power * share) for power in range(12) for share in (1, 1.5)}), dtype=float)
EVERY = np.arange(1, 201) * 50.0


@pytest.mark.parametrize("shift", [0.0, -3.0])
def test_an_exact_law_is_continued(shift: float) -> None:
    """A loss may be negative; then the floor is that of the curve."""
    values = shift + 0.2 + LOG**-0.5
    found = more_training(LOG, values, factor=4)
    assert found.target == 4 * LOG.max()
    assert found.value == pytest.approx(shift + 0.2 + (4 * LOG.max()) ** -0.5, abs=2e-3)


@pytest.mark.parametrize("steps", [LOG, EVERY], ids=["log", "every"])
def test_the_interval_holds_what_is_measured_later_as_often_as_it_says(steps: np.ndarray) -> None:
    """At confidence 0.9: P[Bin(80, 0.88) < 54] < 1e-6."""
    generator, truth = np.random.default_rng(0), 0.2 + (2 * steps.max()) ** -0.5
    runs = [more_training(steps, 0.2 + steps**-0.5 + 0.003 * generator.standard_normal(len(steps))) for _ in range(80)]
    later = truth + 0.003 * generator.standard_normal(80)
    said = [(run, new) for run, new in zip(runs, later, strict=True) if run.value is not None]
    assert len(said) >= 72
    assert sum(run.low <= new <= run.high for run, new in said) >= 54 - (80 - len(said))  # type: ignore[operator]
    assert np.mean([run.high - run.low for run, _ in said]) < 0.05  # type: ignore[operator]


def test_a_value_logged_ten_times_is_not_ten_values() -> None:
    values = 0.2 + EVERY**-0.5 + 0.003 * np.random.default_rng(0).standard_normal(len(EVERY))
    once = more_training(EVERY, values)
    often = more_training(np.repeat(EVERY, 10) + np.tile(np.arange(10.0), 200), np.repeat(values, 10))
    assert often.high - often.low > 0.8 * (once.high - once.low)  # type: ignore[operator]


@pytest.mark.parametrize(
    ("steps", "values", "since", "said"),
    [
        (LOG, 0.5 - 0.3 * (LOG / LOG.max()) ** 2, 0.0, "bends as no power law"),
        (LOG, 0.2 + 0.1 * np.log(LOG), 0.0, "has been rising"),
        (LOG, 0.2 + LOG**-0.5, LOG.max() / 2, "are needed"),
        (LOG[:3], LOG[:3], 0.0, "3 stretches"),
        (LOG, np.full(len(LOG), np.nan), 0.0, "no finite value"),
    ],
    ids=["bent", "rising", "new-phase", "short", "diverged"],
)
def test_it_abstains(steps: np.ndarray, values: np.ndarray, since: float, said: str) -> None:
    found = more_training(steps, values, since=since)
    assert found.value is None
    assert said in found.reason


def test_noise_alone_is_not_taken_for_a_bend() -> None:
    generator = np.random.default_rng(2)
    runs = [more_training(EVERY, 0.3 + 0.01 * generator.standard_normal(200)) for _ in range(40)]
    assert sum(run.value is None for run in runs) <= 12  # a rise by chance in one of forty, a bend in fewer


def test_bins_have_quarter_octaves() -> None:
    place, value, count = binned(np.array([4.0, 5.0, 8.0, 16.0]), np.array([1.0, 3.0, 5.0, 7.0]))
    assert len(place) == 4  # 5/4 is a third of an octave
    assert value.tolist() == [1, 3, 5, 7]
    assert count.tolist() == [1, 1, 1, 1]
    assert binned(np.array([15.0, 16.0]), np.array([1.0, 2.0]))[1].tolist() == [1.0, 2.0]
    assert len(binned(np.array([14.2, 15.0, 15.9, 16.0]), np.arange(4.0))[0]) == 2


@pytest.mark.parametrize("factor", [1.0, float("inf"), float("nan")])
def test_more_is_more(factor: float) -> None:
    with pytest.raises(Refusal, match="above 1"):
        more_training(LOG, LOG, factor=factor)
