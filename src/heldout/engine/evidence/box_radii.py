"""The largest box around the weights in which the training error stays at or below a tenth, for all members at once."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from heldout.catalog import evidence
from heldout.engine.evidence.box_sharpness import Objective, Tensors, highest_in_box
from heldout.engine.evidence.doubling import doubled
from heldout.engine.evidence.noise import FLOOR, TARGET, as_wide_as, mistaken
from heldout.engine.evidence.outputs import class_scores, is_classification
from heldout.engine.population import Population, stream
from heldout.engine.subject import Examples, Subject

RADII = 7  # of every member that are climbed together
ROUNDS = 4  # at most; the first two look for the region, each of the others divides it by eight
STEPS = 8
STRIDES = [2 * 0.75**step for step in range(STEPS)]  # from corner to corner, down to a quarter of the half-width
APART = 3.0  # octaves between the radii that look for the region
FINE = APART / 64  # octaves, 3.3 %: less than what other climbs would find
MOST = 512  # training examples that are climbed on; what is found is judged on all
SWEEPS = 2 * 3 * RADII * (STEPS + 1)  # two climbs and three rounds, if all examples are climbed on


class BoxRadius(NamedTuple):
    """The largest box that was found to leave the training error at or below a tenth.

    Attributes:
        radius: ``[M]``; NaN where the network's own training error is above the target.
        failing: The smallest radius at which more errors were found, ``[M]``: the true one is below it.
        converged: Whether the two enclose it, ``[M]``.
        radii: That were tried, ascending, ``[M, K]``.
        errors: Largest training error found in each, or in a smaller one that it contains, ``[M, K]``.
    """

    radius: Tensor
    failing: Tensor
    converged: Tensor
    radii: Tensor
    errors: Tensor


HalfWidth = Callable[[Tensor, Tensor], Tensor]  # a parameter [S, ...] and radii [S] -> half-widths [S, ...]


@evidence(forward=SWEEPS, backward=SWEEPS, thorough=True, requires=is_classification)
def box_radius(subject: Subject, folded: Population, errors: Tensor, seed: int) -> BoxRadius:
    r"""The largest alpha with ``max training error(w + u) <= 0.1`` over ``|u_i| <= alpha``, over all folded parameters."""
    squares = torch.stack([w.double().square().reshape(len(w), -1).sum(1) for w in folded.parameters.values()]).sum(0)
    typical = (squares / folded.size).sqrt()

    def half_width(weight: Tensor, radius: Tensor) -> Tensor:
        return as_wide_as(radius, weight).expand_as(weight)

    start = torch.where(typical > 0, typical, 1.0) / 64  # only where the search begins: it expands from there
    return searched(subject, folded, errors, seed, half_width, start)


@evidence(forward=SWEEPS, backward=SWEEPS, thorough=True, requires=is_classification)
def magnitude_box_radius(subject: Subject, folded: Population, errors: Tensor, seed: int) -> BoxRadius:
    r"""The same for boxes that follow the weights, ``|u_i| <= alpha' |w_i| + epsilon`` with epsilon = 1e-3."""

    def half_width(weight: Tensor, radius: Tensor) -> Tensor:
        return as_wide_as(radius, weight) * weight.abs() + FLOOR

    return searched(subject, folded, errors, seed, half_width, torch.full_like(errors[:, 0], 1 / 32))


def searched(
    subject: Subject, folded: Population, errors: Tensor, seed: int, half_width: HalfWidth, start: Tensor
) -> BoxRadius:
    """Enclose each member's radius: several radii of all members are climbed at once, then those between the last two.

    Every box is climbed twice: from its centre up the mean loss, as Jiang et al. did, and from a random place, the same for all
    radii and members, up what keeps the examples nearest to the boundary on their side of it. A box holds all smaller ones, so
    that one that fails settles all larger ones.

    Args:
        subject: What is under study.
        folded: Its networks.
        errors: Their training errors.
        seed: Of the place and of the examples.
        half_width: Of the box, by parameter and radius.
        start: Radius where the search begins, ``[M]``.

    Returns:
        The radii.
    """
    worst = _worst_error(subject, doubled(folded, subject.probe), seed, half_width)
    low, high = torch.full_like(start, -torch.inf), torch.full_like(start, torch.inf)
    places = torch.arange(RADII, dtype=start.dtype, device=start.device)
    points, trail, seen = APART * (places - RADII // 2).expand(len(start), RADII), [], []
    for _ in range(ROUNDS):
        found = worst(start.unsqueeze(1) * points.exp2())
        trail.append(points)
        seen.append(found)
        searching = ~_settled(low, high).unsqueeze(1)  # a member alone stops where it stops in company
        fails = found > TARGET
        high = torch.minimum(high, torch.where(fails & searching, points, torch.inf).amin(1))
        passes = ~fails & searching & (points < high.unsqueeze(1))
        low = torch.maximum(low, torch.where(passes, points, -torch.inf).amax(1))
        if bool(_settled(low, high).all()):
            break
        between = low.unsqueeze(1) + (high - low).unsqueeze(1) * (places + 1) / (RADII + 1)
        upward, downward = low.unsqueeze(1) + APART * (places + 1), high.unsqueeze(1) - APART * (places + 1).flip(0)
        points = torch.where(
            high.isinf().unsqueeze(1), upward, torch.where(low.isinf().unsqueeze(1), downward, between)
        )
    octaves, order = torch.cat(trail, dim=1).sort(dim=1)
    own = errors.mean(1)
    defined = own <= TARGET
    return BoxRadius(
        radius=torch.where(defined, start * low.exp2(), torch.nan),
        failing=torch.where(defined, start * high.exp2(), torch.nan),
        converged=~defined | (low.isfinite() & high.isfinite()),
        radii=start.unsqueeze(1) * octaves.exp2(),
        errors=torch.cat(seen, dim=1).gather(1, order).cummax(1).values,
    )


def _settled(low: Tensor, high: Tensor) -> Tensor:
    return high - low <= FINE


def _worst_error(
    subject: Subject, networks: Population, seed: int, half_width: HalfWidth
) -> Callable[[Tensor], Tensor]:
    """Radii ``[M, R]`` -> the largest training errors found in their boxes."""
    train, members = subject.train, len(networks)
    chosen = torch.randperm(len(train), generator=stream(seed, "box examples"))[:MOST].sort().values
    few = train if len(train) <= MOST else train.take(chosen)
    begin = {
        name: 2 * torch.rand(weight.shape[1:], generator=stream(seed, "box", name), dtype=torch.float64) - 1
        for name, weight in networks.parameters.items()
    }
    allowed = int(TARGET * len(few))

    def wrong(outputs: Tensor, y: Tensor) -> Tensor:
        return mistaken(subject, outputs, y).mean()

    def loss(outputs: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        return subject.loss.per_example(outputs, y).mean(), wrong(outputs, y)

    def hinge(outputs: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        scores = class_scores(subject, outputs.unsqueeze(0)).squeeze(0)
        true = scores.gather(-1, y.unsqueeze(-1)).squeeze(-1)
        margin = true - scores.scatter(-1, y.unsqueeze(-1), -torch.inf).amax(-1)
        nearest = margin.topk(allowed + 1, largest=False).values  # as many as must fall, and those only
        return -nearest.clamp(min=0).sum(), wrong(outputs, y)

    climbs: tuple[tuple[Objective, Tensors | None], ...] = ((loss, None), (hinge, begin))

    def worst(radii: Tensor) -> Tensor:
        count = radii.shape[1]

        def repeated(tensor: Tensor) -> Tensor:
            return tensor.repeat_interleave(count, dim=0)

        stack = networks.with_tensors(
            {name: repeated(weight) for name, weight in networks.parameters.items()},
            {name: repeated(buffer) for name, buffer in networks.buffers.items()},
        )
        widths = {name: half_width(weight, radii.flatten()) for name, weight in stack.parameters.items()}
        own, all_of_them = _repeated(few, members, count), _repeated(train, members, count)
        found = []
        for objective, origin in climbs:
            top = highest_in_box(stack, own, objective, widths, strides=STRIDES, start=origin)
            if few is train:
                found.append(top.judged)
                continue
            outputs = stack.with_tensors(top.place, stack.buffers)(all_of_them.x, per_member=train.x_per_member)
            labels = all_of_them.labels(len(stack)).to(outputs.device)
            found.append(mistaken(subject, outputs.double(), labels).mean(1))
        return torch.stack(found).amax(0).reshape(radii.shape)

    return worst


def _repeated(examples: Examples, members: int, count: int) -> Examples:
    """The examples of every network of a stack in which each member stands ``count`` times."""
    from torch.utils._pytree import tree_map

    x = examples.x
    if examples.x_per_member:
        x = tree_map(lambda leaf: leaf.repeat_interleave(count, dim=0), x)
    y = examples.labels(members).repeat_interleave(count, dim=0)
    return Examples(x, y, examples.x_per_member, y_per_member=True)
