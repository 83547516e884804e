"""Slab data: one coordinate that a line separates, others that take several slabs, all of them sufficient."""

import torch
from torch import Tensor

from heldout.catalog import dataset
from heldout.engine.population import stream
from heldout.records import Refusal

Pair = tuple[Tensor, Tensor]
SIMPLE = ("linear", "uncertain", "none")
SHUFFLED = ("nothing", "simple", "others")


@dataset(source="Shah et al. 2020, section 3 and appendix B (LMS-k, MS-k and noisy LMS-k data)")
def slabs(
    *,
    train_size: int = 20000,
    test_size: int = 4000,
    dimension: int = 20,
    simple: str = "linear",
    slab: int = 5,
    margin: float = 0.1,
    uncertain: float = 0.1,
    shuffled: str = "nothing",
    seed: int = 0,
) -> tuple[Pair, Pair]:
    """Two classes; the first coordinate is linearly separable, each other one by k slabs; rotated at random.

    Linear: ``(2 y - 1) U(m, 1)``. k slabs of width ``w = (2 - 2 (k - 1) m) / k`` with gaps of 2 m alternate in class across
    [-1, 1], class 0 in the middle, and no line separates them better than chance. Given the class, coordinates are independent,
    and each but an uncertain one says the class without error.

    Args:
        train_size: Training examples.
        test_size: Test examples.
        dimension: Coordinates d.
        simple: The first coordinate: ``linear``; ``uncertain``: linear but, for a share of the examples, uniform in (-m, m)
            whatever the class; ``none``: k slabs as well.
        slab: k of the other coordinates: 3, 5 or 7.
        margin: m.
        uncertain: That share.
        shuffled: In the test data, before rotation, exchange between examples at random the ``simple`` (first) coordinate, the
            ``others`` (each apart), or ``nothing``.
        seed: Of everything; what is shuffled changes nothing else.

    Returns:
        ``(x, y)`` for training and for test; x is ``[N, d]``, y ``[N]`` of 0 and 1.

    Raises:
        Refusal: If a word or a number of slabs is not known.

    Example:
        >>> (x, y), _ = slabs(train_size=6, test_size=2, dimension=3)
        >>> x.shape, sorted(set(y.tolist()))
        (torch.Size([6, 3]), [0, 1])
    """
    for name, given, known in (("simple", simple, SIMPLE), ("shuffled", shuffled, SHUFFLED), ("slab", slab, (3, 5, 7))):
        if given not in known:
            raise Refusal(
                given=f"{name} was {given!r}", expected=f"one of {', '.join(map(str, known))}", do="choose one of these"
            )
    parts = []
    rotation = torch.linalg.qr(_normal(dimension, seed)).Q
    for part, count in (("train", train_size), ("test", test_size)):
        draw = stream(seed, "slabs", part)
        y = torch.randint(2, (count,), generator=draw)
        columns = [slab_coordinate(y, slab, margin, draw) for _ in range(dimension)]
        line = (2 * y - 1) * (margin + (1 - margin) * torch.rand(count, generator=draw, dtype=torch.float64))
        hit = torch.rand(count, generator=draw) < (uncertain if simple == "uncertain" else 0.0)
        anywhere = margin * (2 * torch.rand(count, generator=draw, dtype=torch.float64) - 1)
        if simple != "none":
            columns[0] = torch.where(hit, anywhere, line)
        if part == "test" and shuffled != "nothing":
            for place in [0] if shuffled == "simple" else range(1, dimension):
                columns[place] = columns[place][torch.randperm(count, generator=draw)]
        parts.append(((torch.stack(columns, 1) @ rotation).float(), y))
    return parts[0], parts[1]


def slab_coordinate(y: Tensor, slab: int, margin: float, draw: torch.Generator) -> Tensor:
    """One coordinate of k slabs.

    The slabs of a class are left and right of the centre at equal chance. Of the pairs that the class has, the innermost is taken
    with the published probability: k = 3 one each; k = 5 class 0 the centre 3/4; k = 7 class 0 the centre half of the time, class
    1 the inner pair 7/8.

    Args:
        y: Classes ``[N]``, 0 or 1; class 0 has the centre.
        slab: k.
        margin: m.
        draw: Generator.

    Returns:
        ``[N]`` in [-1, 1], float64.
    """
    width = (2 - 2 * (slab - 1) * margin) / slab
    inner = {3: (1.0, 1.0), 5: (0.75, 1.0), 7: (0.5, 0.875)}[slab]
    chance = torch.tensor(inner, dtype=torch.float64)[y]
    ring = y + 2 * (torch.rand(len(y), generator=draw, dtype=torch.float64) >= chance)  # slabs from the centre
    sign = 2.0 * torch.randint(2, (len(y),), generator=draw) - 1
    within = width * (torch.rand(len(y), generator=draw, dtype=torch.float64) - 0.5)
    return sign * ring * (width + 2 * margin) + within


def _normal(dimension: int, seed: int) -> Tensor:
    return torch.randn(dimension, dimension, generator=stream(seed, "slabs", "rotation"), dtype=torch.float64)
