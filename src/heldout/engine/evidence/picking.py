"""Pick-to-Learn: networks rebuilt from few training examples, picked one after another where the network errs worst."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from heldout.catalog import evidence
from heldout.engine.evidence.duplicates import flat, hashes
from heldout.engine.evidence.outputs import class_scores
from heldout.engine.evidence.retraining import alone, can_train_again, in_float64, of_member, trained, untrained
from heldout.engine.population import Population, stream
from heldout.engine.subject import Examples, Subject
from heldout.engine.training import Recipe
from heldout.records import NotApplicable

Counts = NDArray[np.int64]

LARGEST = 0.25  # of the training examples: picking stops there, whatever is left; beyond it the bound says little
ROUNDS = 30  # at most: so many examples are picked together that the largest set is reached after them
STEPS = 200  # of training after every pick, from the weights before it


@dataclass(frozen=True, slots=True, eq=False)
class Picked:
    """Networks that a few examples determine.

    Attributes:
        kept: Examples that each was trained on, ``[M]``.
        errors: Examples among the others that each gets wrong, ``[M]``.
        examples: How many there are in all.
        networks: The networks; None for problems that are simulated.
        data: Role -> which examples, in words.
    """

    kept: Counts
    errors: Counts
    examples: int
    networks: Population | None = None
    data: Mapping[str, str] = field(default_factory=dict)


class Picks(NamedTuple):
    """One run.

    Attributes:
        order: Places of the picked examples in the order of picking.
        wrong: Places of the others that the last network gets wrong.
        network: The last network, a population of one in float64.
    """

    order: list[int]
    wrong: list[int]
    network: Population


@evidence(forward=20, backward=20, requires=can_train_again)
def picked(subject: Subject, recipe: Recipe, seed: int) -> Picked:
    """Networks that Pick-to-Learn trains from the untrained ones, each built twice: from all examples, and from the kept ones alone.

    The stopping size is a quarter of the examples, fixed beforehand by their number.

    Args:
        subject: With its untrained networks.
        recipe: How they are trained after every pick.
        seed: Of the marks and of the training.

    Returns:
        What was kept, what is still wrong, and the networks.

    Raises:
        NotApplicable: If inputs repeat, and the subject does not say that independent draws do.
    """
    rows = hashes(flat(subject.train.x, fold_members=subject.train.x_per_member))
    repeats = len(rows) - len(set(rows))
    if subject.duplicates == "refuse" and repeats and not subject.train.x_per_member:
        raise NotApplicable(
            f"{repeats} training examples have the same input as another, so that they are no independent draws",
            do="remove repeated examples, or say duplicates='allow' if independent draws repeat in these data",
        )
    examples, runs = len(subject.train), []
    largest = max(1, int(LARGEST * examples))
    together = max(2, -(-largest // ROUNDS))
    marks = torch.randperm(examples, generator=stream(seed, "marks of examples"))
    for member in range(len(subject.population)):
        own = of_member(subject.train, member)
        settings = dict(recipe=recipe, member=member, largest=largest, together=together, seed=seed)
        run = pick(subject, own, marks, **settings)  # type: ignore[arg-type]
        must_rebuild(subject, own, marks, run, **settings)  # type: ignore[arg-type]
        runs.append(run)
    parameters = {n: torch.cat([r.network.parameters[n] for r in runs]) for n in runs[0].network.parameters}
    buffers = {n: torch.cat([r.network.buffers[n] for r in runs]) for n in runs[0].network.buffers}
    kept = np.array([len(run.order) for run in runs])
    return Picked(
        kept=kept,
        errors=np.array([len(run.wrong) for run in runs]),
        examples=examples,
        networks=runs[0].network.with_tensors(parameters, buffers),
        data={
            "start": "the networks before training, as the user declares: no example took part",
            "recipe": "fixed before these examples were looked at, as the user declares",
            "compression": f"{', '.join(map(str, kept))} of {examples} training examples, {together} picked at a time",
            "bound": f"all {examples} training examples, assumed to be independent draws",
            "stopping size": f"{largest}, fixed beforehand",
            "reconstruction": f"run again from the kept examples with seed {seed}: the same picks and the same weights, bit by bit",
        },
    )


def pick(
    subject: Subject,
    examples: Examples,
    marks: Tensor,
    *,
    recipe: Recipe,
    member: int,
    largest: int,
    together: int,
    seed: int,
) -> Picks:
    """Pick the worst-handled examples, train on all picked so far, and so on.

    Handled means classified rightly; the worst has the smallest margin. Equal ones are told apart by marks, independent of the
    examples, so that nothing hangs on their places. Training depends on the picked examples, their order and the seed alone.
    Hence every set between the kept examples (with those still wrong) and all of them leads to the same picks: the compression
    is preferent.

    Args:
        subject: Whose untrained networks they are.
        examples: N, one member's.
        marks: ``[N]``, all different.
        recipe: How the network is trained after every pick, :data:`STEPS` at most.
        member: Which.
        largest: Size at which picking stops.
        together: How many are picked at a time.
        seed: Of the training.

    Returns:
        What was picked, what is still wrong, and the network.
    """
    order: list[int] = []
    network = start = untrained(subject, member)
    while True:
        margins = margins_of(subject, in_float64(network), examples)
        margins[order] = torch.inf
        wrong = (margins < 0).nonzero().flatten()
        if not len(wrong) or len(order) >= largest:
            return Picks(order, wrong.tolist(), in_float64(network))
        # the first time rightly classified ones may fill the number: batch norms cannot be trained on one example
        found = wrong if order else torch.arange(len(examples))
        by_mark = found[marks[found].argsort()]
        worst = by_mark[margins[by_mark].argsort(stable=True)]
        order = [*order, *worst[: min(together, largest - len(order))].tolist()]
        few = alone(recipe, member, len(order))
        few = few.but(steps=min(STEPS, few.steps), stop="loss")
        network = trained(network, examples.take(torch.tensor(order)), few, seed=seed, number=member)
        network.tally = start.tally


def must_rebuild(
    subject: Subject,
    examples: Examples,
    marks: Tensor,
    run: Picks,
    *,
    recipe: Recipe,
    member: int,
    largest: int,
    together: int,
    seed: int,
) -> None:
    """Pick again from the kept examples alone, and demand the same network.

    Args:
        subject: Whose untrained networks they are.
        examples: N, one member's.
        marks: ``[N]``.
        run: What was picked from all examples.
        recipe: As there.
        member: As there.
        largest: As there.
        together: As there.
        seed: As there.

    Raises:
        NotApplicable: If other examples are picked or other weights come out: training is not deterministic.
    """
    kept = torch.tensor(sorted({*run.order, *run.wrong}), dtype=torch.long)
    again = pick(
        subject,
        examples.take(kept),
        marks[kept],
        recipe=recipe,
        member=member,
        largest=largest,
        together=together,
        seed=seed,
    )
    same = kept[torch.tensor(again.order, dtype=torch.long)].tolist() == run.order
    ours, theirs = ({**n.parameters, **n.buffers} for n in (run.network, again.network))
    if not same or any(not torch.equal(tensor, theirs[name]) for name, tensor in ours.items()):
        raise NotApplicable(
            "trained again from the same examples and seed, the network came out different",
            do="make its training deterministic (kernels, own random numbers)",
        )


def margins_of(subject: Subject, network: Population, examples: Examples) -> Tensor:
    """How well every example is handled.

    Args:
        subject: Whose task it is.
        network: A population of one.
        examples: N.

    Returns:
        ``[N]``: true score minus the best other one; negative exactly where the network errs, a tie for the largest score
        going to the first class.
    """
    with torch.no_grad():
        scores = class_scores(subject, network(examples.x))[0].double().cpu()
    y = examples.y.cpu()[:, None]
    margins = scores.gather(-1, y) - scores.scatter(-1, y, float("-inf")).amax(-1, keepdim=True)
    wrong = scores.argmax(-1, keepdim=True) != y
    tiny = torch.finfo(torch.float64).tiny
    return torch.where(wrong, margins.clamp(max=-tiny), margins.clamp(min=0.0))[:, 0]
