r"""The margin template: from a Rademacher complexity to the error of a classifier, all margins at once.

For scores that the ramp loss at margin gamma looks at, with probability 1 - delta over n examples,

    R <= r_gamma + 2 Rad_gamma + 3 sqrt(ln(2/delta) / (2 n)),

r_gamma the share of training examples with a margin of at most gamma (Mohri, Rostamizadeh and Talwalkar 2018, Theorem 3.3, on the
ramp of slope 1/gamma). It holds at every level of gamma and of the norms at the price of :mod:`heldout.engine.numerics.levels`.
"""

from dataclasses import dataclass
from math import log

import numpy as np

from heldout.engine.numerics.domain import Floats
from heldout.engine.numerics.levels import nats

LARGEST = 1e300


@dataclass(frozen=True, slots=True, eq=False)
class MarginShares:
    """Training examples by margin.

    Attributes:
        levels: j of the margins ``sqrt(2)^j``, ``[J]``.
        shares: Of examples with a margin of at most that, ``[M, J]``.
        examples: n.
    """

    levels: Floats
    shares: Floats
    examples: int

    @property
    def log_margins(self) -> Floats:
        """Natural logarithms of the margins, ``[J]``."""
        return self.levels * (log(2.0) / 2)


def shortfall(shares: MarginShares, log_complexity: Floats) -> Floats:
    """Twice the complexity at the median training margin: by what factor margins are too small for the bound to begin to speak.

    Args:
        shares: Of the training examples.
        log_complexity: As in :func:`margin_upper`, ``[M]``.

    Returns:
        ``[M]``; infinite where half of the margins are below the lowest level.
    """
    return middle(shares, np.exp(np.minimum(log(2.0) + log_complexity[:, None] - shares.log_margins, log(LARGEST))))


def middle(shares: MarginShares, values: Floats) -> Floats:
    """What stands at the first level of margins that half of the examples do not exceed.

    Args:
        shares: Of the training examples.
        values: At every level, ``[M, J]``.

    Returns:
        ``[M]``; 1e300 where half of the margins are below the lowest level.
    """
    half = (shares.shares >= 0.5).argmax(axis=1)
    return np.where(half == 0, LARGEST, np.take_along_axis(values, half[:, None], axis=1)[:, 0])


def margin_upper(
    shares: MarginShares, log_complexity: Floats, price: Floats, log_delta: float, *, extra: float = 0.0
) -> tuple[Floats, Floats]:
    """The best of the template over margins.

    Args:
        shares: Of the training examples.
        log_complexity: ln of gamma times the Rademacher complexity of the ramp class, norms risen to their levels, ``[M]``.
        price: Nats of those levels, ``[M]``.
        log_delta: Natural logarithm of the failure probability.
        extra: What the complexity has besides, whatever gamma is.

    Returns:
        Upper bounds, not cut at 1, and the margins that gave them, ``[M]`` each.
    """
    logs = np.minimum(np.log(2.0) + log_complexity[:, None] - shares.log_margins, log(LARGEST))
    return best_margin(shares, np.exp(logs) + 2 * extra, price, log_delta)


def best_margin(shares: MarginShares, twice: Floats, price: Floats, log_delta: float) -> tuple[Floats, Floats]:
    """The best of the template over margins, for any complexity.

    Args:
        shares: Of the training examples.
        twice: Twice the complexity at every margin, ``[M, J]``.
        price: Nats of the levels of the norms, ``[M]``.
        log_delta: Natural logarithm of the failure probability.

    Returns:
        As :func:`margin_upper`.
    """
    spent = log(2.0) - log_delta + price[:, None] + nats(shares.levels)
    values = shares.shares + twice + 3 * np.sqrt(spent / (2 * shares.examples))
    best = values.argmin(axis=1)
    found = np.take_along_axis(values, best[:, None], axis=1)[:, 0] * (1 + 1e-9)
    return np.minimum(found, LARGEST), np.exp(shares.log_margins[best])
