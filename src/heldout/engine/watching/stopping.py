"""When to stop training: patience that is not fooled by the noise of a validation set."""

from collections import deque
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from heldout.engine.numerics import betting_upper, shuffled
from heldout.engine.numerics.domain import Floats
from heldout.engine.watching.limits import check_delta, is_errors, shares
from heldout.records import Refusal, refuse


@dataclass(slots=True)
class Stopping:
    r"""Stop when no checkpoint of the last few has improved, beyond doubt, on the one before them.

    .. math:: \text{stop at } t \iff \forall\, t - p < j \le t:\;
       \text{upper limit at } 1 - \delta_t \text{ of } E[\ell_{t-p} - \ell_j] < \text{least}

    Stopping at t is too early if some checkpoint since t - p is truly better by ``least`` or more than that at t - p. All p tests
    must agree, the one of that checkpoint among them, so this happens with probability at most delta_t, and over the whole
    training with at most delta (intersection-union test and union bound). Losses are compared example by example:
    checkpoints share most of their mistakes, and what they share cancels.

    With ``least=0`` training stops when it has become worse, and goes on while nothing changes. Say what improvement is
    worth the time and it ends on a plateau too, as soon as the validation set is large enough to exclude more.

    Errors (0 and 1) with ``least=0`` are compared by the exact sign test, losses of a known range by betting, both certain at
    any number of examples; other losses by Student's test, which many examples make accurate.

    Attributes:
        patience: p, in checkpoints.
        least: The smallest improvement that is worth p checkpoints, in units of the loss.
        delta: Probability of stopping too early.
        checkpoints: How many are planned, which share delta evenly; None where nobody knows.
        loss_range: Smallest and largest value that the loss can take.
        stopped: The step at which it said so; None while training goes on.
        best: The step with the smallest mean loss so far.
        why: One sentence once it has stopped.

    Raises:
        Refusal: If a setting is out of its range.

    Example:
        >>> stopping = Stopping(patience=1)
        >>> stopping.update(0, np.zeros(200)), stopping.update(100, np.ones(200)), stopping.best
        (False, True, 0)
    """

    patience: int = 5
    least: float = 0.0
    delta: float = 0.05
    checkpoints: int | None = None
    loss_range: tuple[float, float] | None = None
    stopped: int | None = field(default=None, init=False)
    best: int | None = field(default=None, init=False)
    why: str = field(default="", init=False)
    _recent: "deque[tuple[int, Floats]]" = field(init=False, repr=False)
    _lowest: float = field(default=float("inf"), init=False, repr=False)
    _tests: int = field(default=0, init=False, repr=False)

    def __post_init__(self) -> None:
        """Refuse settings that mean nothing."""
        check_delta(self.delta)
        wrong = [
            ("patience", self.patience, self.patience >= 1, "a whole number from 1"),
            ("least", self.least, 0 <= self.least < float("inf"), "a finite number from 0"),
            ("checkpoints", self.checkpoints, self.checkpoints is None or self.checkpoints >= 1, "a whole number from 1"),
            ("loss_range", self.loss_range, self.loss_range is None or self.loss_range[0] < self.loss_range[1],
             "two numbers, the smaller first"),
        ]  # fmt: skip
        refuse([
            Refusal(given=f"{name} was {value}", expected=words, do=f"correct {name}")
            for name, value, right, words in wrong if not right
        ])  # fmt: skip
        self._recent = deque(maxlen=self.patience + 1)

    def update(self, step: int, losses: ArrayLike) -> bool:
        """Take in a checkpoint.

        Args:
            step: Steps taken.
            losses: Of each validation example, always the same in the same order, ``[N]``; or 1 for wrong and 0 for right.

        Returns:
            Whether to stop; once true it stays so.

        Raises:
            Refusal: If these are not losses of as many examples as before.
        """
        now = np.asarray(losses, dtype=np.float64)
        expected = len(self._recent[-1][1]) if self._recent else max(2, now.size)
        if now.ndim != 1 or len(now) != expected:
            raise Refusal(
                given=f"losses had shape {now.shape} at step {step}",
                expected=f"[{expected}], one an example",
                do="pass the losses of the same validation examples, at least two, at every checkpoint",
            )
        mean = float(now.mean())
        if mean < self._lowest:
            self._lowest, self.best = mean, step
        self._recent.append((step, now))
        if self.stopped is None and len(self._recent) > self.patience:
            self._tests += 1
            (since, before), *later = self._recent
            level = self._level()
            if all(surely_below(before, each, self.least, level, self.loss_range) for _, each in later):
                self.stopped = step
                gain = "improved on it" if self.least == 0 else f"improved on it by {self.least:g} or more"
                self.why = (
                    f"none of the {self.patience} checkpoints after step {since} {gain}; that this is said too early "
                    f"in a training has probability at most {self.delta:g}."
                )
        return self.stopped is not None

    def _level(self) -> float:
        """What the present test may spend; beyond the planned checkpoints nothing is left."""
        if self.checkpoints is None:
            return float(self.delta * shares(self._tests, adaptive=True)[-1])
        return self.delta / self.checkpoints if self._tests <= self.checkpoints else 0.0


def surely_below(
    before: Floats, now: Floats, least: float, level: float, loss_range: tuple[float, float] | None = None
) -> bool:
    """Whether the mean improvement is below ``least``, but for a probability of ``level``.

    A loss that is not finite is worse than any that is.

    Args:
        before: Losses ``[N]``.
        now: Of the same examples, later.
        least: The improvement in question.
        level: Probability of saying so although the mean improvement is ``least`` or more.
        loss_range: Smallest and largest value that the loss can take; None for errors and losses without a range.

    Returns:
        Whether it surely is.

    Example:
        Five examples became wrong and none right: (1/2)^5 = 0.031.

        >>> before, now = np.zeros(9), np.array([1.0] * 5 + [0.0] * 4)
        >>> surely_below(before, now, 0.0, 0.032), surely_below(before, now, 0.0, 0.031)
        (True, False)
    """
    if level <= 0:
        return False
    if not np.isfinite(now).all():
        return True
    if not np.isfinite(before).all():
        return False
    gain = before - now
    errors = is_errors(before) and is_errors(now)
    if errors and least == 0:
        worse, better = int((gain < 0).sum()), int((gain > 0).sum())
        return bool(stats.binom.cdf(better, better + worse, 0.5) <= level)
    low, high = (0.0, 1.0) if errors and loss_range is None else loss_range or (0.0, 0.0)
    if high > low:
        unit = 0.5 + 0.5 * gain / (high - low)  # in [0, 1]
        limit = float(betting_upper(unit[shuffled(len(unit), 0)], np.log(level)))
        return (2 * limit - 1) * (high - low) < least
    half = stats.t.isf(level, len(gain) - 1) * gain.std(ddof=1) / np.sqrt(len(gain))
    return bool(gain.mean() + half < least)
