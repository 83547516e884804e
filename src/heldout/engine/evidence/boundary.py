"""The distance to the decision boundary, to first order, in the inputs and in hidden representations."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.func import grad
from torch.utils._pytree import tree_leaves

from heldout.engine.evidence.by_member import blocks_of, by_member
from heldout.engine.evidence.outputs import class_scores
from heldout.engine.evidence.places import Change, Cut, intervening
from heldout.engine.population import Inputs, Population
from heldout.engine.population.calling import examples_in
from heldout.engine.subject import Subject

TRIMMED = 0.05  # of the features' variances at either end, as in the PGDL winners' margins
INPUT = ""  # the place that stands for the input itself


class Distances(NamedTuple):
    """Distances to the decision boundary, at several places of the network.

    Attributes:
        distance: Place -> ``(f_y - max_j f_j) / |gradient of that over the tensor in this place|`` of every point, ``[M, n]``,
            negative where the network errs, infinite where the scores do not depend on the tensor; the input is ``""``.
        variance: Place -> sum over features of their variances over the points, ``[M]``.
        typical: Place -> mean over features of these variances, a twentieth trimmed at either end, ``[M]``.
    """

    distance: dict[str, Tensor]
    variance: dict[str, Tensor]
    typical: dict[str, Tensor]


def distances_of(
    subject: Subject,
    population: Population,
    x: Inputs,
    y: Tensor,
    cuts: Sequence[Cut],
    *,
    with_input: bool,
    per_member: bool = False,
) -> Distances:
    """Distances of points from the boundary around their class.

    Args:
        subject: Whose loss says what the scores are.
        population: The networks.
        x: Points, leaves ``[n, ...]``, or ``[M, n, ...]`` where ``per_member``.
        y: Their classes, ``[M, n]``.
        cuts: Where, beside the input.
        with_input: Whether in the input too.
        per_member: Whether members have points of their own.

    Returns:
        Distances and variances, float64.
    """
    places = [INPUT] * with_input + [cut.place for cut in cuts]
    members, points = len(population), examples_in(x, per_member=per_member)
    margins: list[Tensor] = []
    squares: list[list[Tensor]] = []
    moments: list[_Moments] = [_Moments() for _ in places]
    for few, batch in blocks_of(population, x, per_member=per_member):
        margin, steep, means, scatters = _block(subject, population, batch, y[:, few], cuts, with_input, per_member)
        margins.append(margin)
        squares.append(list(steep))
        for moment, mean, scatter in zip(moments, means, scatters, strict=True):
            moment.add(few.stop - few.start, mean, scatter)
    population.tally.forward += points * members
    population.tally.backward += points * members
    margin = torch.cat(margins, dim=1)
    steepness = [torch.cat(parts, dim=1).sqrt() for parts in zip(*squares, strict=True)]
    variances = [moment.scatter / points for moment in moments]
    return Distances(
        {place: margin / norm for place, norm in zip(places, steepness, strict=True)},
        {place: variance.sum(-1) for place, variance in zip(places, variances, strict=True)},
        {place: _trimmed_mean(variance) for place, variance in zip(places, variances, strict=True)},
    )


class _Moments:
    """Mean and sum of squared deviations of features, gathered block by block (Chan et al. 1979)."""

    def __init__(self) -> None:
        self.count, self.mean, self.scatter = 0, torch.zeros(()), torch.zeros(())

    def add(self, count: int, mean: Tensor, scatter: Tensor) -> None:
        total = self.count + count
        apart = mean - self.mean.to(mean)
        self.scatter = self.scatter.to(scatter) + scatter + apart.square() * (self.count * count / total)
        self.mean = self.mean.to(mean) + apart * (count / total)
        self.count = total


def _block(
    subject: Subject,
    population: Population,
    x: Inputs,
    y: Tensor,
    cuts: Sequence[Cut],
    with_input: bool,
    per_member: bool,
) -> tuple[Tensor, tuple[Tensor, ...], tuple[Tensor, ...], tuple[Tensor, ...]]:
    """Margins ``[M, n]``, and for every place squared gradients ``[M, n]``, means and scatters ``[M, F]``."""
    count = y.shape[1]
    like = next(iter(population.parameters.values()))
    still = tuple(cut.zeros(count, like) for cut in cuts)

    def lead(x: Inputs, moves: tuple[Tensor, ...], parameters: Mapping[str, Tensor], buffers: Mapping[str, Tensor],
             y: Tensor) -> tuple[Tensor, tuple[Tensor, tuple[Tensor, ...]]]:  # fmt: skip
        seen: dict[Cut, Tensor] = {}

        def moving(cut: Cut, move: Tensor) -> tuple[Cut, Change]:
            def change(tensor: Tensor) -> Tensor:
                seen[cut] = tensor.clone()
                return tensor + move

            return cut, change

        with intervening(population.template, dict(map(moving, cuts, moves))):
            outputs = population.call_one(parameters, buffers, x)
        scores = class_scores(subject, outputs.unsqueeze(0))[0].double()
        true = scores.gather(-1, y.unsqueeze(-1)).squeeze(-1)
        margin = true - scores.scatter(-1, y.unsqueeze(-1), -torch.inf).amax(-1)
        # examples do not meet in evaluation mode, so the gradient of the sum holds every example's own
        return margin.sum(), (margin, tuple(seen[cut] for cut in cuts))

    def of_one(
        parameters: dict[str, Tensor], buffers: dict[str, Tensor], x: Inputs, y: Tensor
    ) -> tuple[Tensor, tuple[Tensor, ...], tuple[Tensor, ...], tuple[Tensor, ...]]:
        which = (0, 1) if with_input else (1,)
        gradients, (margin, seen) = grad(lead, argnums=which, has_aux=True)(x, still, parameters, buffers, y)
        rows = [cut.rows(tensor).double() for cut, tensor in zip(cuts, seen, strict=True)]
        steep = [cut.rows(tensor).double() for cut, tensor in zip(cuts, gradients[-1], strict=True)]
        if with_input:
            rows, steep = [_flat(x), *rows], [_flat(gradients[0]), *steep]
        means = tuple(row.mean(0) for row in rows)
        scatters = tuple((row - mean).square().sum(0) for row, mean in zip(rows, means, strict=True))
        return margin, tuple(row.square().sum(-1) for row in steep), means, scatters

    return by_member(population, of_one, x, y, per_member=per_member)


def _flat(x: Inputs) -> Tensor:
    return torch.cat([leaf.flatten(1).double() for leaf in tree_leaves(x)], dim=1)


def _trimmed_mean(values: Tensor) -> Tensor:
    count = values.shape[-1]
    cut = int(TRIMMED * count)
    return values.sort(dim=-1).values[..., cut : count - cut].mean(-1)
