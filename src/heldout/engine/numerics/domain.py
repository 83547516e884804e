"""The domains of the arguments of this package: what lies outside is refused, with the first offending value named."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from heldout.records import Refusal

Floats = NDArray[np.float64]


def _first(values: Floats, outside: NDArray[np.bool_], name: str, expected: str, do: str) -> list[Refusal]:
    """The fault of an argument, or none: its first value outside the domain and how many there are.

    Args:
        values: The argument.
        outside: Where it lies outside its domain.
        name: What the caller knows the argument by.
        expected: The domain in words.
        do: The remedy.

    Returns:
        At most one refusal.
    """
    if not outside.any():
        return []
    count = "" if outside.sum() == 1 else f" and {outside.sum() - 1} more like it"
    return [Refusal(given=f"{name} was {values[outside].flat[0]:g}{count}", expected=expected, do=do)]


def proportions(name: str, values: Floats) -> list[Refusal]:
    """Faults of risks, means and losses: they must lie in [0, 1].

    Args:
        name: What the caller knows the argument by.
        values: The argument.

    Returns:
        At most one refusal.

    Example:
        >>> print(proportions("risk", np.array([0.1, 1.5]))[0])
        risk was 1.5; expected numbers in [0, 1]: divide by the range of the loss first.
    """
    outside = ~((values >= 0) & (values <= 1))
    return _first(values, outside, name, "numbers in [0, 1]", "divide by the range of the loss first")


def budgets(values: Floats) -> list[Refusal]:
    """Faults of a divergence budget in nats: it must be at least 0, and may be infinite.

    Args:
        values: The budget.

    Returns:
        At most one refusal.
    """
    return _first(values, ~(values >= 0), "budget", "nats of at least 0", "pass (KL + ln(1/delta)) / n")


def sizes(values: Floats) -> list[Refusal]:
    """Faults of a number of examples: it must be a whole number of at least 1.

    Args:
        values: The number of examples.

    Returns:
        At most one refusal.
    """
    outside = ~((values >= 1) & np.isfinite(values) & (values == np.floor(values)))
    return _first(values, outside, "n", "a whole number of at least 1", "count the examples that the bound rests on")


def counts(errors: Floats, n: Floats) -> list[Refusal]:
    """Faults of an error count: it must be a whole number in [0, n].

    A count such as 0.29 * 100 = 28.999999999999996 is refused rather than rounded, since its floor would be unsafe.

    Args:
        errors: The number of errors.
        n: The number of examples.

    Returns:
        At most one refusal.
    """
    errors, n = np.broadcast_arrays(errors, n)
    outside = ~((errors >= 0) & (errors <= n) & (errors == np.floor(errors)))
    return _first(errors, outside, "errors", "a whole number from 0 to n", "count the errors with an exact sum")


def log_probabilities(values: Floats) -> list[Refusal]:
    """Faults of the logarithm of a failure probability: it must be below 0 (minus infinity stands for certainty).

    Args:
        values: The natural logarithm of delta.

    Returns:
        At most one refusal.
    """
    return _first(values, ~(values < 0), "log_delta", "the logarithm of a delta below 1", "pass math.log(delta)")


def broadcast(*arguments: ArrayLike) -> tuple[Floats, ...]:
    """The arguments as float64 arrays of one common shape.

    Args:
        *arguments: Numbers or arrays that broadcast together.

    Returns:
        One read-only view per argument.

    Raises:
        Refusal: If they do not broadcast.
    """
    arrays = [np.asarray(argument, dtype=np.float64) for argument in arguments]
    try:
        return tuple(np.broadcast_arrays(*arrays))
    except ValueError:
        shapes = ", ".join(str(array.shape) for array in arrays)
        raise Refusal(
            given=f"the shapes were {shapes}", expected="shapes that broadcast together", do="align their axes"
        ) from None
