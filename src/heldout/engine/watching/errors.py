"""Losses and errors on the watched examples, and the gap between them with an exact interval."""

import math
from functools import cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

from heldout.engine.evidence.resolving import Evidence
from heldout.engine.numerics import binomial_inverse_lower, binomial_inverse_upper
from heldout.engine.numerics.finite_pool import pool_errors_upper
from heldout.engine.watching.rows import absent
from heldout.records import Direction, Status

NORMAL_95 = 1.959963984540054  # 97.5 % quantile of the standard normal
WORSE = Direction.HIGHER_IS_WORSE.value
REGRESSION = "the task is a regression: read the losses instead"


def losses_and_errors(evidence: Evidence, total: int) -> tuple[list[dict[str, Any]], np.ndarray | None]:
    """Losses, errors and gap of the one network of a subject.

    Args:
        evidence: Of the watched examples.
        total: Examples in the training set, of which the watched ones are a random sample or all.

    Returns:
        Readings ``train-loss``, ``train-error`` and, where there are validation examples, ``validation-loss``,
        ``validation-error`` and ``gap``; and the validation examples' errors (losses in a regression), float64 ``[n]``.
    """
    classes = evidence.subject.loss.task == "classification"
    read = [mean_loss("train-loss", evidence["losses"][0], total)]
    wrong = int(evidence["errors"][0].sum()) if classes else 0
    n = len(evidence.subject.train)
    read.append(
        error("train-error", wrong, n, total) if classes else absent("train-error", Status.NOT_APPLICABLE, REGRESSION)
    )
    if evidence.subject.test is None:
        return read, None
    losses = evidence["test_losses"][0]
    read.append(mean_loss("validation-loss", losses, None))
    if not classes:
        names = ("validation-error", "gap")
        return read + [absent(name, Status.NOT_APPLICABLE, REGRESSION) for name in names], _numbers(losses)
    errors = _numbers(evidence["test_errors"][0])
    missed = int(errors.sum())
    read += [error("validation-error", missed, len(errors), None), gap(wrong, n, total, missed, len(errors))]
    return read, errors


def mean_loss(name: str, losses: Tensor, total: int | None) -> dict[str, Any]:
    """The mean of some losses, with its standard error where they are a sample.

    Args:
        name: Of the reading.
        losses: ``[n]``.
        total: Size of the set they were drawn from; None for a distribution.

    Returns:
        The reading, with a 95 % interval by the normal approximation.

    Example:
        >>> mean_loss("train-loss", torch.tensor([1.0, 3.0]), 2)["value"]
        2.0
    """
    values = _numbers(losses)
    mean = float(values.mean())
    if not math.isfinite(mean):
        return absent(name, Status.NOT_FINITE, f"the mean loss was {mean}", "gap")
    reading = {"name": name, "family": "gap", "value": mean, "direction": WORSE}
    n = len(values)
    if n > 1 and (total is None or n < total):
        left = 1.0 if total is None else 1.0 - n / total  # drawn without replacement
        spread = float(values.std(ddof=1)) * math.sqrt(left / n)
        reading |= {"standard_error": spread, "low": mean - NORMAL_95 * spread, "high": mean + NORMAL_95 * spread}
    return reading


def error(name: str, wrong: int, n: int, total: int | None) -> dict[str, Any]:
    """A share of wrong answers with its exact two-sided 95 % interval, where it is of a sample.

    Args:
        name: Of the reading.
        wrong: Examples.
        n: Examples in all.
        total: Size of the set they were drawn from without replacement; None for a distribution.

    Returns:
        The reading; Clopper and Pearson's interval, or the hypergeometric one.

    Example:
        >>> print(f"{error('validation-error', 0, 100, None)['high']:.4f}")  # 1 - 0.025 ** (1 / 100)
        0.0362
    """
    share = wrong / n
    reading = {"name": name, "family": "gap", "value": share, "direction": WORSE}
    if total == n:
        return reading
    low, high = interval(wrong, n, total, math.log(0.025))
    left = 1.0 if total is None else (total - n) / (total - 1)
    return reading | {"low": low, "high": high, "standard_error": math.sqrt(share * (1 - share) / n * left)}


def gap(wrong: int, n: int, total: int, missed: int, m: int) -> dict[str, Any]:
    r"""Validation error minus training error, with an exact 95 % interval.

    Where the training error is known of every example, the interval is that of the validation error moved by it. Where it is known
    of a sample, each of the two has an interval of 97.5 %, and the gap lies between their farthest ends (union bound).

    Args:
        wrong: Watched training examples that are answered wrongly.
        n: Watched training examples.
        total: Training examples.
        missed: Validation examples that are answered wrongly.
        m: Validation examples.

    Returns:
        The reading.

    Example:
        >>> read = gap(0, 50, 50, 5, 100)
        >>> read["value"], read["low"] == error("", 5, 100, None)["low"]
        (0.05, True)
    """
    side = math.log(0.025 if n == total else 0.0125)
    low, high = interval(missed, m, None, side)
    train_low, train_high = (wrong / n, wrong / n) if n == total else interval(wrong, n, total, side)
    p, q = missed / m, wrong / n
    variance = p * (1 - p) / m + q * (1 - q) / n * ((total - n) / max(1, total - 1))
    return {
        "name": "gap", "family": "gap", "value": p - q, "low": low - train_high, "high": high - train_low,
        "standard_error": math.sqrt(variance), "direction": WORSE,
    }  # fmt: skip


@cache
def interval(wrong: int, n: int, total: int | None, log_side: float) -> tuple[float, float]:
    """Exact limits for a share of which a sample was seen.

    Args:
        wrong: In the sample.
        n: Its size.
        total: Size of the pool it was drawn from without replacement; None for a distribution.
        log_side: Logarithm of the probability of missing on each side.

    Returns:
        Lower and upper limit.
    """
    if total is None:
        return float(binomial_inverse_lower(wrong, n, log_side)), float(binomial_inverse_upper(wrong, n, log_side))
    right = float(pool_errors_upper(n - wrong, n, total, log_side))  # what is right in the pool, from above
    return max(0.0, 1.0 - right), float(pool_errors_upper(wrong, n, total, log_side))


def _numbers(values: Tensor) -> np.ndarray:
    return values.detach().to(torch.float64).cpu().numpy()
