"""Units that say of themselves what is not so, each in one way."""

from tests.house.sabotage import broken
from torch import Tensor

from heldout.records import Direction


@broken("accuracy_gap", direction=Direction.HIGHER_IS_BETTER, range=(-1.0, 1.0))
def gap_upside_down(errors: Tensor, test_errors: Tensor) -> Tensor:
    """Says that a wide gap is good news."""
    return test_errors.mean() - errors.mean()


@broken(direction="up")
def pointless(losses: Tensor) -> Tensor:
    """Has no direction."""
    return losses.mean()


@broken()
def no_summary(losses: Tensor) -> Tensor:
    """mean loss"""
    return losses.mean()


@broken(source=" ")
def no_source(losses: Tensor) -> Tensor:
    """Mean loss.

    .. math:: mean

    Example:
        >>> 1
        1
    """
    return losses.mean()


@broken()
def no_example(losses: Tensor) -> Tensor:
    """Mean loss.

    .. math:: mean
    """
    return losses.mean()


@broken(source="A paper")
def no_formula(losses: Tensor) -> Tensor:
    """Mean loss.

    Example:
        >>> 1
        1
    """
    return losses.mean()


@broken()
def wrong_example(losses: Tensor) -> Tensor:
    """Mean loss.

    .. math:: mean

    Example:
        >>> 1 + 1
        3
    """
    return losses.mean()


@broken(invariances=("rotation",))
def unknown_invariance(losses: Tensor) -> Tensor:
    """Claims what no check reads."""
    return losses.mean()


@broken(waives={"stays-in-range": ""})
def waives_without_reason(losses: Tensor) -> Tensor:
    """Lets itself off."""
    return losses.mean()


@broken(waives={"everything": "because"})
def waives_the_unknown(losses: Tensor) -> Tensor:
    """Lets itself off a check that is not there."""
    return losses.mean()


#: Check, unit that must not pass it, words of the sentence that says so.
WORDS = [
    ("points-somewhere", gap_upside_down, "higher is better, yet"),
    ("points-somewhere", pointless, "no direction"),
    ("says-what-it-is", no_source, "no source"),
    ("says-what-it-is", no_summary, "no sentence"),
    ("says-what-it-is", no_example, "no example"),
    ("says-what-it-is", no_formula, "neither formula nor definition"),
    ("says-what-it-is", wrong_example, "Expected:"),
    ("declares-known-invariances", unknown_invariance, "rotation"),
    ("declares-known-invariances", waives_without_reason, "without a reason"),
    ("declares-known-invariances", waives_the_unknown, "everything"),
]
