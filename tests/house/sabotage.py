"""Units that were broken on purpose, each in one way."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from heldout.catalog import Unit, measure
from heldout.catalog.declaring import MARK
from heldout.engine.population import Population
from heldout.records import Direction, Estimate, estimate

WORSE = Direction.HIGHER_IS_WORSE
STACKED = "sabotage"


def broken(name: str = "", **fields: Any) -> Callable[[Callable[..., Any]], Unit]:
    """Declare a unit outside the catalog, under any name."""

    def declare(function: Callable[..., Any]) -> Unit:
        function.__name__ = name or function.__name__
        declared = measure(**{"source": "Definition: none", "direction": WORSE, **fields})(function)
        unit: Unit = getattr(declared, MARK)
        return unit

    return declare


@broken()
def honest(losses: Tensor) -> Tensor:
    """Mean loss.

    .. math:: mean

    Example:
        >>> torch.tensor([1.0, 3.0]).mean().item()
        2.0
    """
    return losses.mean()


@broken(stacked=STACKED)
def wrong_axis(losses: Tensor) -> Tensor:
    """The mean over members instead of examples: one number an example."""
    return losses.mean(0)


@broken(stacked=STACKED)
def one_for_all(losses: Tensor) -> Tensor:
    """Forgets the members."""
    return losses.sum(1, keepdim=True).expand(-1, 2)


@broken()
def not_vectorisable(losses: Tensor) -> Tensor:
    """Looks at its data."""
    return losses.max() if losses[0].item() > 0 else losses.min()


@broken()
def infinite(losses: Tensor) -> Tensor:
    """Overflows."""
    return losses.mean() * float("inf")


@broken()
def undeclared_nan(margins: Tensor) -> Tensor:
    """NaN on misclassified data, and no sentence that says so."""
    return margins.min().sqrt()


@broken(undefined="never defined")
def never(losses: Tensor) -> Tensor:
    """Has a number nowhere."""
    return losses.mean() * float("nan")


@broken(stacked=STACKED)
def relative_to_others(losses: Tensor) -> Tensor:
    """Compares a member with its population."""
    return losses.mean(1) / losses.mean()


@broken(stacked=STACKED)
def interval_of_the_others(losses: Tensor) -> Estimate:
    """The value is the member's own, the interval is not."""
    return estimate(losses.mean(1), high=losses.mean(1) + losses.std())


@broken(stacked=STACKED)
def global_stream(losses: Tensor) -> Tensor:
    """Draws from the global random state."""
    return losses.mean(1) + torch.rand(len(losses))


@broken(stacked=STACKED)
def reseeds(losses: Tensor) -> Tensor:
    """Gives the same bits again by seeding the state of everybody."""
    torch.manual_seed(0)
    return losses.mean(1) + torch.rand(len(losses))


@broken()
def unstable(losses: Tensor, *, calls: list[int] = []) -> Tensor:  # noqa: B006  remembering is the sabotage
    """Remembers that it was called."""
    calls.append(1)
    return losses.mean() + len(calls)


@broken()
def depends_on_memory(folded: Population, losses: Tensor) -> Tensor:
    """Sees how the work was cut."""
    return losses.mean() + folded.memory


@broken(range=(0.0, 1.0))
def above_its_range(losses: Tensor) -> Tensor:
    """Leaves the declared range."""
    return 1.0 + losses.mean()


@broken()
def below_its_range(losses: Tensor) -> Tensor:
    """Is negative where it said it is not."""
    return -losses.mean()


@broken()
def beside_its_interval(losses: Tensor) -> Estimate:
    """The value is not in its own interval."""
    return estimate(losses.mean(), low=losses.mean() + 1.0, high=losses.mean() + 2.0)


@broken()
def swallower(losses: Tensor) -> Tensor:
    """Turns what has no value into 0."""
    return losses.nan_to_num().mean()


@broken()
def silent_comparison(margins: Tensor) -> Tensor:
    """A comparison with NaN is False, so a broken network has no error."""
    return (margins < 2.0).double().mean()


@broken(stacked=STACKED)
def stops_with_an_error(losses: Tensor) -> Tensor:
    """Stops where it should say not applicable."""
    raise ValueError("there is no test data")


@broken(stacked=STACKED)
def changes_its_evidence(losses: Tensor) -> Tensor:
    """Works in place."""
    return losses.mul_(2.0).mean(1)


@broken(stacked=STACKED)
def changes_the_weights(folded: Population) -> Tensor:
    """Leaves its perturbation behind."""
    weight = next(iter(folded.parameters.values()))
    weight += 1e-3
    return weight.flatten(1).sum(1).square()


#: Check, unit that must not pass it, words of the sentence that says so.
NUMBERS = [
    ("has-one-number-a-member", wrong_axis, "failed: ValueError"),
    ("has-one-number-a-member", one_for_all, "failed: ValueError"),
    ("has-one-number-a-member", not_vectorisable, "failed: RuntimeError"),
    ("has-one-number-a-member", infinite, "the result was inf"),
    ("has-one-number-a-member", undeclared_nan, "the result was nan"),
    ("has-one-number-a-member", never, "no number on any"),
    ("is-the-same-alone", relative_to_others, "alone: value"),
    ("is-the-same-alone", interval_of_the_others, "alone: high"),
    ("is-the-same-again", global_stream, "global random state"),
    ("is-the-same-again", reseeds, "global random state"),
    ("is-the-same-again", unstable, "not the same bits"),
    ("is-the-same-in-chunks", depends_on_memory, "in chunks: value"),
    ("stays-in-range", above_its_range, "is not between"),
    ("stays-in-range", below_its_range, "is not between"),
    ("stays-in-range", beside_its_interval, "outside"),
    ("swallows-no-nan", swallower, "gave the number"),
    ("swallows-no-nan", silent_comparison, "gave the number"),
    ("refuses-what-is-missing", stops_with_an_error, "there is no test data"),
    ("changes-nothing", changes_its_evidence, "evidence was changed"),
    ("changes-nothing", changes_the_weights, "was changed"),
]
