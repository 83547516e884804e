"""The loop's own losses: kept where they are until somebody looks, then read together."""

import math
from typing import Any

import torch
from torch import Tensor

from heldout.engine.watching.rows import Row

EVERY_STEP_UNTIL = 100  # from here on a row stands for a hundredth of the steps so far
MOST_PENDING = 4096  # losses that may wait to be read


class Minibatches:
    """Losses of minibatches, in windows that grow with the training: a million steps give about a thousand rows.

    Example:
        >>> losses = Minibatches()
        >>> for step in range(1, 4):
        ...     losses.add(step, torch.tensor(float(step)))
        >>> [(row.step, row.value) for row in losses.rows(seconds=1.0)]
        [(1, 1.0), (2, 2.0), (3, 3.0)]
    """

    def __init__(self) -> None:
        self._pending: list[tuple[int, Any]] = []
        self._window: list[float] = []

    def add(self, step: int, loss: Any) -> None:
        """Keep a loss; a tensor is not read, only copied on its device.

        Args:
            step: Steps taken.
            loss: A number, or a tensor of which the mean counts.
        """
        if isinstance(loss, Tensor):
            loss = loss.detach()
            loss = loss.clone() if loss.ndim == 0 else loss.mean()
        self._pending.append((step, loss))

    @property
    def full(self) -> bool:
        """Whether it is time to read what waits."""
        return len(self._pending) >= MOST_PENDING

    def rows(self, seconds: float, *, last: bool = False) -> list[Row]:
        """Read what waits, all at once, and give the windows that are complete.

        Args:
            seconds: Since the run began.
            last: Whether the last window counts as complete.

        Returns:
            Rows ``loss``: the mean of a window, with its standard error where it holds several.
        """
        pending, self._pending = self._pending, []
        places = [place for place, (_, loss) in enumerate(pending) if isinstance(loss, Tensor)]
        numbers = [loss for _, loss in pending]
        if places:
            read = torch.stack([numbers[place].float() for place in places]).tolist()
            for place, number in zip(places, read, strict=True):
                numbers[place] = number
        found = []
        for place, ((step, _), number) in enumerate(zip(pending, numbers, strict=True)):
            self._window.append(float(number))
            if len(self._window) >= max(1, step // EVERY_STEP_UNTIL) or (last and place == len(pending) - 1):
                found.append(Row.of(step, seconds, _reading(self._window)))
                self._window = []
        return found


def _reading(window: list[float]) -> dict[str, Any]:
    n = len(window)
    mean = math.fsum(window) / n if all(map(math.isfinite, window)) else math.nan
    if not math.isfinite(mean):
        return {
            "name": "loss",
            "status": "not-finite",
            "reason": "the loss was not finite",
            "direction": "higher is worse",
        }
    reading = {"name": "loss", "family": "loop", "value": mean, "direction": "higher is worse"}
    if n > 1:
        reading["standard_error"] = math.sqrt(math.fsum((loss - mean) ** 2 for loss in window) / (n - 1) / n)
    return reading
