"""The best of several: its optimism against exact enumeration, the choice, what a log allows."""

import numpy as np
import pytest
from tests.oracles.selection import expected_optimism

from heldout.engine.watching import selection
from heldout.engine.watching.selection import best_of, best_of_means, counted, optimism_of_best
from heldout.records import Refusal


def test_enumeration_agrees_with_the_maximum_of_two_coins() -> None:
    assert expected_optimism([0.5, 0.5], 1) == pytest.approx(0.25)  # the minimum of two fair coins has mean 1/4


@pytest.mark.parametrize(
    "risks", [[0.2] * 12, [0.1, *[0.3] * 11], list(np.linspace(0.15, 0.25, 12))], ids=["equal", "clear", "ramp"]
)
def test_the_corrected_loss_has_a_fraction_of_the_naive_bias(risks: list[float]) -> None:
    """400 sets of 100 examples; the mean of 400 corrections within 6 standard errors: fails by chance with less than 1e-6."""
    truth, runs, n = expected_optimism(risks, 100), 400, 100
    generator = np.random.default_rng(0)
    wrong = (generator.random((runs, len(risks), n)) < np.asarray(risks)[:, None]).astype(float)
    found = np.array([optimism_of_best(table, resamples=60, seed=seed)[0] for seed, table in enumerate(wrong)])
    error = 6 * found.std() / np.sqrt(runs)
    # never on the flattering side; and where candidates differ it is that of fewer examples, a little above
    assert truth - error <= found.mean() <= truth + error + 0.012
    assert error < 0.25 * expected_optimism([0.2] * 12, 100)


def test_equal_checkpoints_are_corrected_without_bias() -> None:
    """The examples that a resample missed know nothing of its choice; 6 standard errors."""
    generator = np.random.default_rng(1)
    wrong = (generator.random((600, 5, 40)) < 0.3).astype(float)
    corrected = np.array([
        table.mean(-1).min() + optimism_of_best(table, resamples=60, seed=seed)[0] for seed, table in enumerate(wrong)
    ])
    assert abs(corrected.mean() - 0.3) < 6 * corrected.std() / np.sqrt(600)
    naive = wrong.mean(-1).min(-1)
    assert naive.mean() < 0.3 - 20 * naive.std() / np.sqrt(600)


def test_cutting_the_resamples_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    losses = np.random.default_rng(0).random((6, 50))
    whole = optimism_of_best(losses, resamples=37, seed=4)
    monkeypatch.setattr(selection, "AT_ONCE", 120)
    assert optimism_of_best(losses, resamples=37, seed=4) == pytest.approx(whole, abs=1e-14)
    assert optimism_of_best(losses, resamples=37, seed=5) != whole


def test_one_checkpoint_is_not_flattered() -> None:
    found = best_of(np.random.default_rng(0).random((1, 30)))
    assert (found.checkpoint, found.optimism, found.expected) == (0, 0.0, found.seen)


def test_of_equals_the_earliest_ships() -> None:
    assert best_of(np.array([[1.0, 1], [0, 1], [1, 0]])).checkpoint == 1


def test_everything_that_is_known_is_said() -> None:
    generator = np.random.default_rng(2)
    losses = generator.exponential(size=(4, 300)) + np.array([0.3, 0.2, 0.0, 0.1])[:, None]
    found = best_of(losses, seed=1)
    assert found.checkpoint == 2
    assert found.limit is None
    assert "loss_range" in found.reason
    assert found.half is not None
    wrong = (losses > 1).astype(float)
    plain, adaptive = best_of(wrong, delta=0.1), best_of(wrong, delta=0.1, adaptive=True)
    assert plain.limit is not None
    assert adaptive.limit is not None
    assert plain.seen < plain.limit < adaptive.limit
    assert best_of(wrong, delta=0.01).limit > plain.limit  # type: ignore[operator]
    assert best_of(wrong[:, :100]).half is None  # too few
    assert best_of(np.clip(losses, 0, 9), loss_range=(0, 9)).limit is not None


def test_a_log_of_means_has_the_limit_that_tables_have() -> None:
    wrong = np.zeros((3, 200))
    wrong[:, :10], wrong[1, 4:] = 1, 0
    table, log = best_of(wrong, delta=0.1), best_of_means([0.05, 0.02, 0.05], 200, delta=0.1)
    assert (log.checkpoint, log.limit) == (1, table.limit)
    assert best_of_means([0.05, 0.02], 200, adaptive=True).limit != best_of_means([0.05, 0.02], 200).limit
    assert best_of_means([float("nan"), 0.4], None).checkpoint == 1
    assert best_of_means([2.0, 0.4], None).limit is None


def test_counts_go_up_never_down() -> None:
    assert counted(0.123449, 10000) == 1235
    assert counted(0.9999999, 50) == 50


@pytest.mark.parametrize(
    ("losses", "said"),
    [(np.zeros(3), "shape"), (np.zeros((0, 3)), "shape"), ([[1, float("inf")], [0, 0]], "1 checkpoints")],
)
def test_what_is_no_table_is_refused(losses: object, said: str) -> None:
    with pytest.raises(Refusal, match=said):
        best_of(losses)  # type: ignore[arg-type]


def test_means_that_are_no_numbers_are_refused() -> None:
    with pytest.raises(Refusal, match="finite mean"):
        best_of_means([float("nan")], 3)
