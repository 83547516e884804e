"""Upper limits on the risk that hold for a checkpoint although it was chosen on the same validation examples."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from heldout.engine.numerics import betting_upper, binomial_inverse_upper, shuffled
from heldout.engine.numerics.domain import Floats
from heldout.records import Refusal


class Half(NamedTuple):
    """A checkpoint chosen on one half of the validation examples, with a limit from the other half.

    Attributes:
        checkpoint: Its place.
        seen: Its mean loss on the other half.
        limit: Upper limit on its risk; None where the losses have no range.
    """

    checkpoint: int
    seen: float
    limit: float | None


def shares(checkpoints: int, *, adaptive: bool = False) -> Floats:
    r"""What each checkpoint gets of the failure probability.

    .. math:: \delta_j = \delta / k, \qquad \text{or}\quad \delta_j = \delta / (j (j + 1))
       \text{ where the number of checkpoints was not fixed beforehand}

    The second adds up to at most delta however many checkpoints follow, so it may be looked at the validation examples to decide
    when training ends.

    Args:
        checkpoints: k.
        adaptive: Whether the validation examples took part in deciding how many there are.

    Returns:
        Shares ``[k]``, which add up to at most 1.

    Example:
        >>> shares(4).tolist(), shares(3, adaptive=True).round(3).tolist()
        ([0.25, 0.25, 0.25, 0.25], [0.5, 0.167, 0.083])
    """
    place = np.arange(1.0, checkpoints + 1)
    return 1 / (place * (place + 1)) if adaptive else np.full(checkpoints, 1 / checkpoints)


def limits_for_all(errors: ArrayLike, examples: int, *, delta: float = 0.05, adaptive: bool = False) -> Floats:
    r"""Upper limits that hold for all checkpoints at once, so for any choice among them.

    .. math:: \sup \{ p : P[\mathrm{Bin}(n, p) \le K_j] \ge \delta_j \}, \qquad \sum_j \delta_j \le \delta

    The union bound over exact binomial limits (Langford 2005, Theorem 3.3 and section 3.2). It cannot see that checkpoints of one
    run share their mistakes, which makes it wider than it must be; nor can it know whether anything else than the choice used
    the validation examples, such as a learning rate that falls when their loss does not.

    Args:
        errors: Wrong validation examples of each checkpoint ``[k]``, in the order of training.
        examples: n.
        delta: Failure probability of all together.
        adaptive: As in :func:`shares`.

    Returns:
        ``[k]``, rounded up.

    Example:
        Two checkpoints without an error on 100 examples: 1 - 0.025^(1/100).

        >>> limits_for_all([0, 0], 100).round(5).tolist()
        [0.03622, 0.03622]
    """
    check_delta(delta)
    counts = np.asarray(errors, dtype=np.float64)
    return np.asarray(
        binomial_inverse_upper(counts, examples, np.log(delta * shares(len(counts), adaptive=adaptive))),
        dtype=np.float64,
    )


def limits_of(
    losses: Floats,
    *,
    delta: float = 0.05,
    adaptive: bool = False,
    loss_range: tuple[float, float] | None = None,
    seed: int = 0,
) -> Floats | None:
    """The same from losses an example: exact for errors, by betting for other losses of a known range.

    Args:
        losses: ``[k, N]``.
        delta: Failure probability of all together.
        adaptive: As in :func:`shares`.
        loss_range: Smallest and largest value that the loss can take; not those that it took.
        seed: Of the order in which is bet.

    Returns:
        ``[k]``; None where the losses are no errors and have no range, for then a mean says nothing with certainty.

    Example:
        >>> limits_of(np.zeros((2, 100))).round(5).tolist(), limits_of(np.full((1, 9), 0.5)) is None
        ([0.03622, 0.03622], True)
    """
    if is_errors(losses):
        return limits_for_all(losses.sum(-1), losses.shape[-1], delta=delta, adaptive=adaptive)
    if loss_range is None:
        return None
    check_delta(delta)
    low, high = loss_range
    unit = ((losses - low) / (high - low))[:, shuffled(losses.shape[-1], seed)]
    found = [
        betting_upper(row, math.log(delta * share))
        for row, share in zip(unit, shares(len(losses), adaptive=adaptive), strict=True)
    ]
    return low + (high - low) * np.asarray(found, dtype=np.float64)


def on_halves(
    losses: Floats, *, delta: float = 0.05, loss_range: tuple[float, float] | None = None, seed: int = 0
) -> Half:
    """Choose on one half, read off the other: no price for the choice, but of half the examples.

    Shorter than the union over k checkpoints from about k > 1/delta on, if the checkpoints are about equally good.

    Args:
        losses: ``[k, N]``, N at least 2.
        delta: Failure probability.
        loss_range: As in :func:`limits_of`.
        seed: Which examples are in which half.

    Returns:
        Checkpoint, its loss on the other half, and the limit.

    Example:
        >>> on_halves(np.array([[1.0] * 200, [0.0] * 200])).checkpoint
        1
    """
    order = shuffled(losses.shape[-1], seed)
    first, second = np.array_split(order, 2)
    chosen = int(losses[:, first].mean(-1).argmin())
    rest = losses[chosen : chosen + 1, second]
    limit = limits_of(rest, delta=delta, loss_range=loss_range, seed=seed)
    return Half(chosen, float(rest.mean()), None if limit is None else float(limit[0]))


def is_errors(losses: NDArray[np.float64]) -> bool:
    """Whether all losses are 0 or 1.

    Args:
        losses: Any.

    Returns:
        True for errors.
    """
    return bool(np.isin(losses, (0.0, 1.0)).all())


def check_delta(delta: float) -> None:
    """Refuse what is no failure probability.

    Args:
        delta: Any.

    Raises:
        Refusal: If it is not strictly between 0 and 1.
    """
    if not 0 < delta < 1:
        raise Refusal(given=f"delta was {delta:g}", expected="a number strictly between 0 and 1", do="pass delta=0.05")
