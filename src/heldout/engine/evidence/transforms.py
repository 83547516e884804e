"""Changes of pictures and signals that should not matter, as the PGDL entries made them.

Every function takes inputs ``[n, ...]``, or ``[M, n, ...]`` where members have their own; draws are one an example and the same for
all members. Entries took pixels from 0 to 1; here that is the range of the training inputs.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from heldout.engine.evidence.layouts import Layout
from heldout.engine.population import stream

Transform = Callable[[Tensor], Tensor]


def pictures_changed(count: int, height: int, width: int, layout: Layout, seed: int) -> dict[str, Transform]:
    """The seven changes of Aithal et al.

    Args:
        count: How many pictures.
        height: Of a picture.
        width: Of a picture.
        layout: Of the inputs.
        seed: Of the draws.

    Returns:
        Name -> function of these pictures, in the published order.
    """
    first, second = (0.6 + torch.rand(count, generator=stream(seed, "saturation", k)) for k in (0, 1))  # 0.6 to 1.6
    corners = rectangles(count, height, width, stream(seed, "erased"))
    return {
        "mirror": lambda x: mirrored(x, layout),
        "saturation": lambda x: saturated(x, layout, first),
        "crop": cropped,
        "edges": lambda x: edges(x, layout),
        "brightness": lambda x: x + 0.5 * layout.span,  # nothing cut off, likewise
        "mirror-saturation": lambda x: saturated(mirrored(x, layout), layout, second),
        "erase": lambda x: erased(x, layout, corners),
    }


def signals_changed(layout: Layout) -> dict[str, Transform]:
    """Changes of signals: mirrored, and moved by a twentieth and a tenth of their length to either side.

    Args:
        layout: Of the inputs.

    Returns:
        Name -> function of signals.
    """
    moves = {"earlier-5": 0.05, "later-5": -0.05, "earlier-10": 0.1, "later-10": -0.1}
    found: dict[str, Transform] = {"mirror": lambda x: mirrored(x, layout)}
    return found | {name: lambda x, share=share: shifted(x, layout, share) for name, share in moves.items()}


def augmented(x: Tensor, layout: Layout, seed: int) -> Tensor:
    """Pictures changed at random as by Natekar and Sharma for their augment margin.

    Each is mirrored with chance 1/2; its contrast is multiplied by a uniform factor from 0.7 to 1 around each channel's mean;
    with chance 1/2 its middle, 0.85 to 0.99 of the sides, is enlarged to the old size.

    Args:
        x: Pictures.
        layout: Of the inputs.
        seed: Of the draws.

    Returns:
        The pictures.
    """
    count = x.shape[-layout.rank - 1]
    flip, contrast, zoom, scale = torch.rand(4, count, generator=stream(seed, "augmented")).to(x)
    x = torch.where(_each(flip < 0.5, layout), mirrored(x, layout), x)
    mean = x.mean((-2, -1), keepdim=True)
    x = mean + _each(0.7 + 0.3 * contrast, layout) * (x - mean)
    return zoomed(x, layout, torch.where(zoom < 0.5, 0.85 + 0.01 * (15 * scale).floor(), 1.0))


def mirrored(x: Tensor, layout: Layout) -> Tensor:
    """Left and right, or first and last, exchanged."""
    return x.flip(layout.along)


def shifted(x: Tensor, layout: Layout, share: float) -> Tensor:
    """A signal moved towards its beginning by a share of its length, at least one step; the free end repeats the last number."""
    length = x.shape[layout.along]
    steps = max(1, round(abs(share) * length))
    index = (torch.arange(length) + (steps if share > 0 else -steps)).clamp(0, length - 1)
    return x.index_select(layout.along, index.to(x.device))


def saturated(x: Tensor, layout: Layout, factor: Tensor) -> Tensor:
    """Saturation times a factor, hue and value kept; pictures without three channels have none and stay as they are.

    With V the largest channel, a new S moves every channel's distance from V in proportion; S stays within 1.

    Args:
        x: Pictures ``[..., 3, H, W]``.
        layout: Of the inputs.
        factor: One a picture.

    Returns:
        The pictures.
    """
    if layout.rank < 3 or x.shape[-3] != 3:
        return x
    unit = (x - layout.low) / layout.span
    value = unit.amax(-3, keepdim=True)
    saturation = ((value - unit.amin(-3, keepdim=True)) / value.clamp(min=1e-12)).clamp(min=1e-12)
    scale = torch.minimum(_each(factor.to(x), layout), saturation.reciprocal())
    return layout.low + layout.span * (value - scale * (value - unit))


def cropped(x: Tensor) -> Tensor:
    """The middle nine tenths, enlarged to the old size; a picture so small that nothing would be cut stays as it is."""
    height, width = x.shape[-2:]
    top, left = int((height - 0.9 * height) / 2), int((width - 0.9 * width) / 2)
    middle = x[..., top : height - top, left : width - left]
    flat = middle.reshape(-1, 1, *middle.shape[-2:])
    return F.interpolate(flat, size=(height, width), mode="bilinear", align_corners=False).reshape(x.shape)


def zoomed(x: Tensor, layout: Layout, scale: Tensor) -> Tensor:
    """The middle of every picture, a share of its sides, enlarged to the old size.

    Args:
        x: Pictures.
        layout: Of the inputs.
        scale: The share, one a picture.

    Returns:
        The pictures, bilinear between pixel centres; the corners of the middle become the corners.
    """
    height, width = x.shape[-2:]
    flat = x.reshape(-1, x.shape[-3] if layout.rank == 3 else 1, height, width)
    still = torch.zeros_like(scale)
    maps = torch.stack([torch.stack([scale, still, still], -1), torch.stack([still, scale, still], -1)], 1)
    grid = F.affine_grid(maps, [len(scale), 1, height, width], align_corners=True)
    grid = grid.repeat(len(flat) // len(scale), 1, 1, 1)
    return F.grid_sample(flat, grid, align_corners=True).reshape(x.shape)


def edges(x: Tensor, layout: Layout) -> Tensor:
    """Sobel's horizontal differences over 4, plus 1/2, on the range of the inputs."""
    kernel = torch.tensor([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]]).to(x)
    flat = x.reshape(-1, 1, *x.shape[-2:])
    mode = "reflect" if min(x.shape[-2:]) > 1 else "replicate"  # a single row has nothing to reflect
    found = F.conv2d(F.pad(flat, (1, 1, 1, 1), mode=mode), kernel.reshape(1, 1, 3, 3)) / 4
    return layout.low + 0.5 * layout.span + found.reshape(x.shape)


def erased(x: Tensor, layout: Layout, corners: Tensor) -> Tensor:
    """A rectangle of every picture set to the smallest input.

    Args:
        x: Pictures ``[..., n, (C,) H, W]``.
        layout: Of the inputs.
        corners: Top, bottom, left and right of every picture, the ends not included, ``[n, 4]``.

    Returns:
        The pictures.
    """
    height, width = x.shape[-2:]
    top, bottom, left, right = corners.to(x.device).T.unsqueeze(-1)
    row, column = torch.arange(height, device=x.device), torch.arange(width, device=x.device)
    hit = ((row >= top) & (row < bottom)).unsqueeze(-1) & ((column >= left) & (column < right)).unsqueeze(-2)
    return torch.where(hit.reshape(-1, *[1] * (layout.rank - 2), height, width), layout.low, x)


def rectangles(count: int, height: int, width: int, generator: torch.Generator) -> Tensor:
    """Rectangles to erase: sides uniform from sqrt(0.02 HW 0.3) to below sqrt(0.4 HW / 0.3) or the picture's, then the corner.

    Args:
        count: How many.
        height: Of the picture.
        width: Of the picture.
        generator: Of the draws.

    Returns:
        ``[count, 4]``, as :func:`erased` takes them.
    """
    area = height * width
    low, high = round((0.02 * area * 0.3) ** 0.5), round((0.4 * area / 0.3) ** 0.5)
    uniform = torch.rand(4, count, generator=generator, dtype=torch.float64)
    columns = []
    for side, size, corner in zip((height, width), uniform[:2], uniform[2:], strict=True):
        length = low + (size * max(1, min(high, side) - low)).floor().long()
        start = (corner * (side - length).clamp(min=1)).floor().long()
        columns += [start, start + length]
    return torch.stack(columns, dim=1)


def _each(numbers: Tensor, layout: Layout) -> Tensor:
    """One number an example, shaped to meet its pixels."""
    return numbers.reshape(-1, *[1] * layout.rank)
