"""Predictions where hidden representations of two examples of a class are averaged: manifold mixup."""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.utils._pytree import tree_map

from heldout.catalog import evidence
from heldout.engine.evidence.by_member import by_member
from heldout.engine.evidence.mixing import gathered, partners
from heldout.engine.evidence.outputs import class_scores, is_classification
from heldout.engine.evidence.places import Change, Cut, intervening
from heldout.engine.population import Inputs, Population, stream
from heldout.engine.population.calling import placed
from heldout.engine.subject import Subject
from heldout.records import NotApplicable

MOST_POINTS = 500


class HiddenMixup(NamedTuple):
    """What the network says of averaged representations.

    Attributes:
        correct: Place -> 1 where the average gets the class of its two parents, ``[M, n]``, float64.
        counted: 1 where there was a second parent, ``[M, n]``, float64.
    """

    correct: dict[str, Tensor]
    counted: Tensor


@evidence(forward=2, thorough=True, requires=is_classification)
def hidden_mixup(
    subject: Subject, folded: Population, hidden_cuts: tuple[Cut, ...], labels: Tensor, seed: int
) -> HiddenMixup:
    """Whether half-and-half averages of what two examples of a class are at a cut are given that class, at every cut.

    Averages of what an embedding gives are averages, so that tokens can be mixed too.

    Args:
        subject: What is under study.
        folded: Its networks.
        hidden_cuts: Where.
        labels: Of the training examples.
        seed: Of the choice of at most 500 examples, and of a partner for each.

    Returns:
        The outcomes.

    Raises:
        NotApplicable: If there is no hidden layer.
    """
    if not hidden_cuts:
        raise NotApplicable("the network has no hidden layer through which everything passes",
                            do="use label-wise-mixup, which mixes the inputs")  # fmt: skip
    train, members = subject.train, len(folded)
    chosen = torch.randperm(len(train), generator=stream(seed, "hidden mixup"))[:MOST_POINTS]
    partner, counted = partners((labels if train.y_per_member else labels[:1]).cpu(), seed)
    apart = train.x_per_member or train.y_per_member
    _, block = folded.chunks(train.x, per_member=train.x_per_member)
    columns = []
    for few in torch.split(chosen, max(1, block // 2)):
        pair = (few.unsqueeze(0), partner[:, few])
        both = [gathered(train.x, index, train.x_per_member, members, apart) for index in pair]
        x = tree_map(lambda one, two: torch.cat([one, two], dim=int(apart)), *both)
        columns.append(_predicted(subject, folded, hidden_cuts, placed(x, folded.device, folded.dtype), apart))
        folded.tally.forward += 2 * len(few) * members * len(hidden_cuts)
    predicted = torch.cat(columns, dim=-1)
    chosen = chosen.to(labels.device)
    correct = (predicted == labels[:, chosen].unsqueeze(1)).double()
    places = {cut.place: correct[:, index] for index, cut in enumerate(hidden_cuts)}
    return HiddenMixup(places, counted[:, chosen.cpu()].to(correct).expand(members, -1))


def _predicted(subject: Subject, population: Population, cuts: tuple[Cut, ...], x: Inputs, apart: bool) -> Tensor:
    """Classes of the averages of both halves of the inputs, at every cut, ``[M, cuts, n]``."""

    def averaging(cut: Cut) -> Change:
        def change(tensor: Tensor) -> Tensor:
            one, two = tensor.movedim(cut.example_axis, 0).chunk(2)
            mean = 0.5 * one + 0.5 * two
            return torch.cat([mean, mean]).movedim(0, cut.example_axis)

        return change

    def of_one(parameters: dict[str, Tensor], buffers: dict[str, Tensor], x: Inputs) -> Tensor:
        found = []
        for cut in cuts:
            with intervening(population.template, {cut: averaging(cut)}):
                outputs = population.call_one(parameters, buffers, x)
            scores = class_scores(subject, outputs.unsqueeze(0))[0]
            found.append(scores.argmax(-1).chunk(2)[0])
        return torch.stack(found)

    return by_member(population, of_one, x, per_member=apart)
