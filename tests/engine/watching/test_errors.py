"""Errors and their gap against SciPy's distributions and against enumeration of a pool."""

import math

import pytest
import torch
from scipy import stats

from heldout.engine.watching.errors import error, gap, interval, mean_loss


def test_an_error_of_a_distribution_has_clopper_and_pearsons_interval() -> None:
    read = error("validation-error", 7, 60, None)
    assert read["value"] == pytest.approx(7 / 60)
    assert read["low"] == pytest.approx(stats.beta.ppf(0.025, 7, 54), rel=1e-9)
    assert read["high"] == pytest.approx(stats.beta.ppf(0.975, 8, 53), rel=1e-9)


def test_an_error_that_is_known_of_all_has_none() -> None:
    assert error("train-error", 7, 60, 60) == {
        "name": "train-error", "family": "gap", "value": 7 / 60, "direction": "higher is worse",
    }  # fmt: skip


def test_an_error_of_a_pool_covers_every_pool_exactly() -> None:
    """Whatever the number of errors in a pool of 30, limits from 12 of them miss it with probability at most 5 %."""
    limits = [interval(k, 12, 30, math.log(0.025)) for k in range(13)]
    for errors in range(31):
        law = stats.hypergeom(30, errors, 12)
        missed = sum(law.pmf(k) for k, (low, high) in enumerate(limits) if not low <= errors / 30 <= high)
        assert missed <= 0.05 + 1e-9


def test_a_gap_to_a_known_training_error_is_the_validation_interval_moved() -> None:
    read, unseen = gap(3, 50, 50, 9, 40), error("", 9, 40, None)
    assert (read["low"], read["high"]) == pytest.approx((unseen["low"] - 0.06, unseen["high"] - 0.06))
    assert read["value"] == pytest.approx(9 / 40 - 0.06)


def test_a_gap_to_a_sampled_training_error_pays_for_both() -> None:
    side = math.log(0.0125)
    (low, high), (train_low, train_high) = interval(9, 40, None, side), interval(3, 50, 500, side)
    read = gap(3, 50, 500, 9, 40)
    assert (read["low"], read["high"]) == pytest.approx((low - train_high, high - train_low))


def test_a_mean_loss_of_a_sample_without_replacement() -> None:
    losses = torch.tensor([1.0, 2.0, 6.0])
    assert mean_loss("train-loss", losses, 3) == {
        "name": "train-loss", "family": "gap", "value": 3.0, "direction": "higher is worse",
    }  # fmt: skip
    spread = losses.double().std().item()
    assert mean_loss("train-loss", losses, 30)["standard_error"] == pytest.approx(spread * math.sqrt(0.9 / 3))
    assert mean_loss("validation-loss", losses, None)["standard_error"] == pytest.approx(spread / math.sqrt(3))
    assert mean_loss("train-loss", torch.tensor([1.0, math.inf]), 2)["status"] == "not-finite"
