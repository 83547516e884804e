"""What a watch is given: checked before training begins, and taken without disturbing it."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from torch import nn

from heldout.engine.subject import Loss, Subject
from heldout.engine.subject.losses import loss_named
from heldout.engine.watching.isolating import undisturbed
from heldout.engine.watching.looking import Looking
from heldout.engine.watching.sampled import Sampled, sampled
from heldout.engine.watching.snapshots import Source
from heldout.engine.watching.spacing import check_every
from heldout.records import Refusal, refuse

FEWEST = 32  # examples that are watched however slow the network is
LONGEST = 0.5  # seconds that the losses of the watched examples may take
TRIED = 2  # examples on which it is tried whether data, network and loss fit


class Watched(NamedTuple):
    """What is watched.

    Attributes:
        source: The network.
        train: Training examples.
        validation: Validation examples, if any.
        loss: One an example.
    """

    source: Source
    train: Sampled
    validation: Sampled | None
    loss: Loss


def watched(
    network: nn.Module | Subject,
    train: Any,
    validation: Any,
    loss: Any,
    examples: int,
    validation_examples: int,
    seed: int,
) -> Watched:
    """Network and examples, as many as can be looked at within half a second.

    Args:
        network: A module, or a Subject of one network.
        train: Training data; None takes the Subject's.
        validation: Data it is not trained on, or None.
        loss: As of a Subject, whose own is taken.
        examples: Training examples at most.
        validation_examples: Validation examples at most.
        seed: Of the choice.

    Returns:
        They.

    Raises:
        Refusal: If there is more than one network, no data, or they do not fit together.
    """
    if isinstance(network, Subject):
        if len(network.population) != 1:
            raise Refusal(
                given=f"the subject has {len(network.population)} networks",
                expected="one network in training",
                do="record readings of populations with heldout.train(..., record=...)",
            )
        train = network.train if train is None else train
        validation = network.test if validation is None else validation
        network, loss = network.population.template, network.loss
    if train is None:
        raise Refusal(
            given="train was left out", expected="training data", do="pass train=(x, y), a Dataset or a DataLoader"
        )
    source = Source.of(network)
    parts = [sampled(train, "train", examples, seed)]
    if validation is not None:
        parts.append(sampled(validation, "validation", validation_examples, seed))
    named = loss_named(loss, parts[0].examples.y)
    with undisturbed():
        few = [part.first(TRIED).examples for part in parts]
        Subject(source.now(), few[0], few[1] if len(few) > 1 else None, loss=named)
    each = Looking(source, parts[0], None, named, {}).seconds_an_example()
    affordable = int(LONGEST / each)
    found = parts[0].first(max(FEWEST, affordable // (3 if len(parts) > 1 else 1)))
    unseen = parts[1].first(max(FEWEST, affordable - len(found.examples))) if len(parts) > 1 else None
    return Watched(source, found, unseen, named)


def check_settings(
    every: str | int | Sequence[int],
    budget: float,
    grace: float,
    examples: int,
    validation_examples: int,
    steps: int | None,
    seed: int,
) -> None:
    """Refuse settings that mean nothing, all together.

    Args:
        every: When to look.
        budget: Seconds for a second of training.
        grace: Seconds beyond it.
        examples: Training examples.
        validation_examples: Validation examples.
        steps: Planned.
        seed: Of stochastic readings.
    """
    faults: list[Refusal] = []
    try:
        check_every(every)
    except Refusal as fault:
        faults.append(fault)

    def demand(holds: bool, given: str, expected: str, do: str) -> None:
        if not holds:
            faults.append(Refusal(given=given, expected=expected, do=do))

    def whole(number: Any, least: int) -> bool:
        return isinstance(number, int) and not isinstance(number, bool) and number >= least

    def real(number: Any) -> bool:
        return isinstance(number, (int, float)) and not isinstance(number, bool)

    demand(
        real(budget) and budget > 0, f"budget was {budget!r}", "a positive share of training time", "pass budget=0.05"
    )
    demand(real(grace) and 0 <= grace < float("inf"), f"grace was {grace!r}", "seconds, at least 0", "leave it out")
    for name, value in (("examples", examples), ("validation_examples", validation_examples)):
        demand(whole(value, 2), f"{name} was {value!r}", "a whole number of at least 2", "leave it out")
    demand(steps is None or whole(steps, 1), f"steps was {steps!r}", "a positive whole number", "leave it out")
    demand(whole(seed, 0) and seed < 2**63, f"seed was {seed!r}", "a whole number from 0 to 2^63 - 1", "pass seed=0")
    refuse(faults)
