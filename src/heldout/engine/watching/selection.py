"""The best of several checkpoints on one validation set: what it is worth, without the luck that made it the best."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from heldout.engine.numerics.domain import Floats
from heldout.engine.watching.limits import Half, check_delta, limits_for_all, limits_of, on_halves
from heldout.records import Refusal

AT_ONCE = 1 << 22  # weights of examples in resamples that are held together
FEWEST_FOR_HALVES = 200  # below, the limit from half the examples is wider than a tenth


@dataclass(frozen=True, slots=True)
class Selection:
    """The checkpoint that did best on the validation examples, and what it will do on others.

    Attributes:
        checkpoint: Its place among those compared; of equals the earliest.
        seen: Its mean loss on the validation examples, which flatters it.
        expected: The loss to expect of such a choice on other examples; None where only means are known.
        optimism: expected - seen.
        standard_error: Of the optimism, by the resamples alone.
        limit: Upper limit on its risk that the choice does not spoil; None where there is none.
        delta: Failure probability of the limit.
        checkpoints: How many were compared.
        examples: Validation examples; None where unknown.
        half: The checkpoint that half of the examples chose and its limit from the others; None where there are few.
        reason: Why expected or limit is absent.
    """

    checkpoint: int
    seen: float
    expected: float | None
    optimism: float | None
    standard_error: float | None
    limit: float | None
    delta: float
    checkpoints: int
    examples: int | None
    half: Half | None
    reason: str = ""


def best_of(
    losses: ArrayLike,
    *,
    delta: float = 0.05,
    adaptive: bool = False,
    loss_range: tuple[float, float] | None = None,
    resamples: int = 400,
    seed: int = 0,
) -> Selection:
    """Choose, correct for having chosen, and certify.

    Args:
        losses: Losses, or 1 for wrong and 0 for right, of each checkpoint on the same validation examples ``[k, N]``.
        delta: Failure probability of the limit.
        adaptive: Whether the validation examples also took part in deciding when training ends.
        loss_range: Smallest and largest value that the loss can take, for a limit on losses that are no errors.
        resamples: Of the bootstrap.
        seed: Of everything random.

    Returns:
        The choice.

    Example:
        >>> found = best_of(np.array([[0.0, 1, 1, 1], [0, 0, 0, 0]]))
        >>> found.checkpoint, found.seen, found.expected
        (1, 0.0, 0.0)
    """
    table = checked(losses)
    check_delta(delta)
    chosen, count = int(table.mean(-1).argmin()), table.shape[-1]
    optimism, error = optimism_of_best(table, resamples=resamples, seed=seed)
    limits = limits_of(table, delta=delta, adaptive=adaptive, loss_range=loss_range, seed=seed)
    half = on_halves(table, delta=delta, loss_range=loss_range, seed=seed) if count >= FEWEST_FOR_HALVES else None
    seen = float(table[chosen].mean())
    return Selection(
        chosen, seen, seen + optimism, optimism, error, None if limits is None else float(limits[chosen]), delta, len(table),
        count, half, "" if limits is not None else "a loss without a largest value has no certain limit: pass errors, or loss_range",
    )  # fmt: skip


def best_of_means(errors: ArrayLike, examples: int | None, *, delta: float = 0.05, adaptive: bool = False) -> Selection:
    """The same where a log has kept nothing but a mean a checkpoint: no corrected expectation, but the valid limit.

    How much luck is in the best depends on how far checkpoints share their mistakes, which means do not tell; the union bound
    holds whatever they share.

    Args:
        errors: Share of wrong validation examples of each checkpoint ``[k]``; means of another loss if ``examples`` is None.
        examples: How many validation examples there are; None where unknown or the means are of another loss.
        delta: Failure probability of the limit.
        adaptive: Whether the validation examples also took part in deciding when training ends.

    Returns:
        The choice.

    Raises:
        Refusal: If there is no finite number among them.

    Example:
        >>> found = best_of_means([0.2, 0.0], 100)  # 1 - 0.025^(1/100)
        >>> found.checkpoint, round(found.limit, 4), found.expected is None
        (1, 0.0362, True)
    """
    means = np.asarray(errors, dtype=np.float64)
    check_delta(delta)
    if means.ndim != 1 or not np.isfinite(means).any():
        raise Refusal(
            given=f"errors had shape {means.shape}", expected="a finite mean a checkpoint", do="pass [k] means"
        )
    chosen = int(np.nanargmin(np.where(np.isfinite(means), means, np.nan)))
    reason = "what the best owes to luck needs the losses of each example, which a log of means does not keep"
    limit = None
    if examples is not None:
        count = counted(float(means[chosen]), examples)
        others = np.zeros(len(means))
        others[chosen] = count  # a limit of its own for each: those of the others are not asked for
        limit = float(limits_for_all(others, examples, delta=delta, adaptive=adaptive)[chosen])
    else:
        reason += "; a limit needs the number of validation examples and their error"
    return Selection(chosen, float(means[chosen]), None, None, None, limit, delta, len(means), examples, None, reason)


def optimism_of_best(losses: Floats, *, resamples: int = 400, seed: int = 0) -> tuple[float, float]:
    r"""How much the best of k flatters itself: out-of-bag bootstrap over the examples.

    .. math:: \frac1B \sum_b \left( \hat R_{\bar b}(\hat k_b) - \hat R_{\bar b}(\hat k) \right), \qquad
       \hat k_b = \arg\min_k \hat R_b(k)

    Each resample b of the examples chooses a checkpoint, which is read on the examples that it missed, against the one
    that all examples chose (a control variate: its mean over resamples is what it shows on all). The missed examples know nothing
    of the choice, so if the checkpoints are equally good the corrected loss is unbiased, exactly; where they differ it is that
    of a choice from fewer examples, a little too high. Efron's bootstrap of the minimum removes about 0.6 of the optimism there, and
    the correction of Tibshirani and Tibshirani 2009 overshoots (see the guide).

    It cannot see what else than this choice the validation examples were used for.

    Args:
        losses: ``[k, N]``.
        resamples: B.
        seed: Of the resamples.

    Returns:
        Optimism and its standard error over resamples.

    Source:
        Tsamardinos, Greasidou and Borboudakis 2018, Algorithm 5.

    Example:
        A checkpoint that is always right beside one that never is: no resample chooses the other.

        >>> optimism_of_best(np.array([[1.0, 1, 1, 1], [0, 0, 0, 0]]))
        (0.0, 0.0)
    """
    count = losses.shape[-1]
    if len(losses) == 1 or count < 2:
        return 0.0, 0.0
    generator = np.random.Generator(np.random.PCG64(seed))
    chosen = int(losses.mean(-1).argmin())
    found: list[NDArray[np.float64]] = []
    step = max(1, AT_ONCE // count)
    for first in range(0, resamples, step):
        drawn = generator.integers(count, size=(min(step, resamples - first), count))
        rows = np.arange(len(drawn))
        times = np.zeros(drawn.shape)
        np.add.at(times, (rows[:, None], drawn), 1.0)
        winner = (times @ losses.T).argmin(-1)
        missed = (times == 0).astype(np.float64)
        size = missed.sum(-1)
        rest = missed @ losses.T
        # of few examples a resample may miss none, which says nothing
        found.append(((rest[rows, winner] - rest[:, chosen]) / np.maximum(size, 1))[size > 0])
    each = np.concatenate(found)
    if not len(each):
        return 0.0, 0.0
    return float(each.mean()), float(each.std() / np.sqrt(len(each)))


def counted(error: float, examples: int) -> int:
    """How many examples an error is, never fewer.

    A log rounds: what is within a hundredth of a whole number is that number, anything else goes up.

    Args:
        error: Share that is wrong.
        examples: Of how many.

    Returns:
        Their number.

    Example:
        >>> counted(0.29, 100), counted(0.1234, 10000), counted(0.1, 25)
        (29, 1234, 3)
    """
    number = error * examples
    near = round(number)
    return min(examples, max(0, near if abs(number - near) < 0.01 else int(np.ceil(number))))


def checked(losses: ArrayLike) -> Floats:
    """A table of losses, or a refusal.

    Args:
        losses: Any.

    Returns:
        ``[k, N]``, float64.

    Raises:
        Refusal: If it is no such table, or holds what is not finite.
    """
    table = np.asarray(losses, dtype=np.float64)
    if table.ndim != 2 or not table.size:
        raise Refusal(
            given=f"losses had shape {table.shape}", expected="[checkpoints, examples]", do="pass one row a checkpoint"
        )
    if not np.isfinite(table).all():
        raise Refusal(
            given=f"{int((~np.isfinite(table)).any(-1).sum())} checkpoints had a loss that is not finite",
            expected="finite losses", do="leave out checkpoints at which training had diverged",
        )  # fmt: skip
    return table
