"""Straight lines between training points, cut exactly where a ReLU unit changes its sign."""

import torch
from torch import Tensor

from heldout.catalog import evidence
from heldout.engine.evidence.neighbourhoods import KINKED, has_kinks
from heldout.engine.population import Population, stream
from heldout.engine.population.calling import placed
from heldout.engine.population.vectorising import vectorisable_kernels
from heldout.engine.subject import Subject
from heldout.records import NotApplicable

SEGMENTS = 16
STRAIGHT = 1e-8  # of the largest output: how far the middle of a piece may lie off its chord, rounding and no more
APART = 1e-12  # of the segment: cuts nearer than this are one
MOST_BYTES = 2**30  # of one segment's inputs to ReLUs, for one network
INSTEAD = "use local-complexity, which samples"


@evidence(forward=4, thorough=True, requires=has_kinks)
def linear_pieces(subject: Subject, seed: int, *, segments: int = SEGMENTS) -> Tensor:
    """Pieces on which the outputs are linear, along segments between pairs of training examples, ``[M, S]``, float64.

    Layer by layer: between the cuts of the layers before, a unit's input is linear, so that its two ends say whether and where
    it changes its sign. All in float64. Middles of pieces are tried at the end: outputs that are not linear there have kinks or
    bends that no ReLU module makes.

    Args:
        subject: What is under study.
        seed: Of the pairs, which all members share.
        segments: S.

    Returns:
        Counts.

    Raises:
        NotApplicable: If there is one example, or outputs are not linear between the cuts.
    """
    train, population = subject.train, in_float64(subject.population)
    if len(train) < 2:
        raise NotApplicable("one example has no segment to another", do=INSTEAD)
    order = torch.randperm(len(train), generator=stream(seed, "segments"))
    ends = train.take(torch.stack([order, order.roll(1)], 1).flatten()[: 2 * segments]).x
    ends = placed(ends, population.device, torch.float64)
    ends = ends if train.x_per_member else ends.expand(len(population), *ends.shape)
    pairs = [ends[:, at : at + 2] for at in range(0, ends.shape[1], 2)]
    return torch.stack([pieces(population, pair[:, 0], pair[:, 1]) for pair in pairs], dim=1)


def in_float64(population: Population) -> Population:
    """The same networks in double precision.

    Args:
        population: The networks.

    Returns:
        Copies that count on the same tally.
    """
    doubled = [
        {name: tensor.double() if tensor.is_floating_point() else tensor for name, tensor in part.items()}
        for part in (population.parameters, population.buffers)
    ]
    return population.with_tensors(doubled[0], doubled[1])


def pieces(population: Population, start: Tensor, end: Tensor) -> Tensor:
    """The number of linear pieces between two points of every member's.

    Args:
        population: In float64.
        start: ``[M, ...]``.
        end: Likewise.

    Returns:
        ``[M]``, float64.

    Raises:
        NotApplicable: If outputs are not linear between the cuts, or there are too many.
    """
    cuts = torch.tensor([0.0, 1.0], dtype=torch.float64, device=start.device).repeat(len(start), 1)
    layer, layers = 0, 1
    while layer < layers:
        received, _ = _along(population, start, end, cuts)
        layers = len(received)
        if received:
            cuts = _with_crossings(cuts, received[layer])
            if cuts.shape[1] * 8 * sum(part[0, 0].numel() for part in received) > MOST_BYTES:
                raise NotApplicable(f"a segment crosses {cuts.shape[1]:,} boundaries, too many to hold", do=INSTEAD)
        layer += 1
    middles = (cuts[:, 1:] + cuts[:, :-1]) / 2
    (_, at_cuts), (_, inside) = (_along(population, start, end, where) for where in (cuts, middles))
    bent = (inside - (at_cuts[:, 1:] + at_cuts[:, :-1]) / 2).abs().amax((1, 2))
    if bool((bent > STRAIGHT * at_cuts.abs().amax((1, 2)).clamp(min=1e-300)).any()):
        raise NotApplicable("the outputs bend where no ReLU module changes its sign", do=INSTEAD)
    return (cuts.diff(dim=1) > APART).sum(1).double()


def _with_crossings(cuts: Tensor, received: Tensor) -> Tensor:
    """The cuts ``[M, T]`` with those where a unit's input ``[M, T, U]`` passes zero, ascending, filled up with ones."""
    before, after = received[:, :-1], received[:, 1:]
    share = before / torch.where(before == after, 1.0, before - after)
    where = cuts[:, :-1, None] + cuts.diff(dim=1).unsqueeze(2) * share.clamp(0.0, 1.0)
    found = torch.where((before > 0) != (after > 0), where, 1.0).flatten(1)
    fresh = found.sort(1).values[:, : int((found < 1).sum(1).max())]
    return torch.cat([cuts, fresh], dim=1).sort(1).values


def _along(population: Population, start: Tensor, end: Tensor, where: Tensor) -> tuple[list[Tensor], Tensor]:
    """What every ReLU module receives ``[M, T, U]``, in the order of calls, and the outputs ``[M, T, C]``."""
    shares = where.reshape(*where.shape, *[1] * (start.ndim - 1))
    x = torch.lerp(start.unsqueeze(1), end.unsqueeze(1), shares)

    def seen(parameters: dict[str, Tensor], buffers: dict[str, Tensor], x: Tensor) -> tuple[list[Tensor], Tensor]:
        received: list[Tensor] = []
        modules = [module for module in population.template.modules() if isinstance(module, KINKED)]
        # a copy: modules that work in place change what they receive
        hooks = [m.register_forward_pre_hook(lambda _, given: received.append(given[0].clone())) for m in modules]
        try:
            outputs = population.call_one(parameters, buffers, x)
        finally:
            for hook in hooks:
                hook.remove()
        return [one.reshape(len(x), -1) for one in received], outputs.reshape(len(x), -1)

    population.tally.forward += where.numel()
    with torch.no_grad(), vectorisable_kernels():
        if len(population) > 1 and population.stackable(x, per_member=True):
            together, _ = population.chunks(x, per_member=True)
            mapped = torch.vmap(seen, chunk_size=together)
            return mapped(population.parameters, population.buffers, x)
        rows = [seen(*population.tensors(member), x[member]) for member in range(len(population))]
    received = [torch.stack(parts) for parts in zip(*(row[0] for row in rows), strict=True)]
    return received, torch.stack([row[1] for row in rows])
