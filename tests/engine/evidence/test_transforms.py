"""Changed pictures and signals against loops over pixels."""

import numpy as np
import pytest
import torch
from scipy.stats import kstest
from tests.oracles import inputs as oracle
from torch import Tensor

from heldout.engine.evidence.layouts import Layout
from heldout.engine.evidence.transforms import (
    augmented,
    cropped,
    edges,
    erased,
    pictures_changed,
    rectangles,
    saturated,
    shifted,
    signals_changed,
    zoomed,
)
from heldout.engine.population import stream

COLOUR = Layout(picture=True, rank=3, along=-1, low=-1.0, span=4.0)
GREY = Layout(picture=True, rank=2, along=-1, low=0.0, span=1.0)


def pictures(*shape: int, layout: Layout = COLOUR) -> Tensor:
    unit = torch.rand(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return layout.low + layout.span * unit


def test_saturation_against_the_standard_library() -> None:
    x, factor = pictures(4, 3, 3, 2), torch.tensor([0.6, 1.0, 1.3, 5.0], dtype=torch.float64)
    x[0, :, 0, 0] = 1.0  # grey has no hue
    x[0, :, 0, 1] = -1.0  # nor has black
    found = saturated(x, COLOUR, factor)
    for n in range(4):
        for i in range(3):
            for j in range(2):
                pixel = tuple(((x[n, :, i, j] + 1) / 4).tolist())
                expected = oracle.saturate(pixel, factor[n].item())  # type: ignore[arg-type]
                assert ((found[n, :, i, j] + 1) / 4).tolist() == pytest.approx(expected, abs=1e-9)
    two = pictures(2, 2, 3, 3)
    assert torch.equal(saturated(two, COLOUR, factor[:2]), two)
    assert torch.equal(saturated(two[:, 0], GREY, factor[:2]), two[:, 0])


@pytest.mark.parametrize("layout", [COLOUR, GREY])
def test_crop_zoom_and_edges(layout: Layout) -> None:
    x = pictures(2, 2, 21, 32, layout=layout) if layout.rank == 3 else pictures(2, 21, 32, layout=layout)
    scale = torch.tensor([0.85, 0.99], dtype=torch.float64)
    made = cropped(x), zoomed(x, layout, scale), edges(x, layout)
    for n in range(2):
        channels = range(2) if layout.rank == 3 else [slice(None)]
        for c in channels:
            image = (x[n, c] if layout.rank == 3 else x[n]).numpy()
            crop, zoom, edge = ((m[n, c] if layout.rank == 3 else m[n]).numpy() for m in made)
            np.testing.assert_allclose(crop, oracle.resized(image[1:20, 1:31], 21, 32), atol=1e-9)
            np.testing.assert_allclose(zoom, oracle.zoomed(image, scale[n].item()), atol=1e-6)
            unit = oracle.sobel((image - layout.low) / layout.span) / 4 + 0.5
            np.testing.assert_allclose(edge, layout.low + layout.span * unit, atol=1e-9)


def test_a_small_picture_is_not_cropped() -> None:
    x = pictures(2, 3, 6, 6)
    torch.testing.assert_close(cropped(x), x)


def test_a_picture_of_one_pixel_has_no_edges() -> None:
    x = pictures(2, 3, 1, 1)
    torch.testing.assert_close(edges(x, COLOUR), torch.full_like(x, 1.0))
    assert all(change(x).shape == x.shape for change in pictures_changed(2, 1, 1, COLOUR, 0).values())


def test_rectangles_are_black_and_where_they_are_said_to_be() -> None:
    x = pictures(2, 3, 5, 4)
    found = erased(x, COLOUR, torch.tensor([[1, 3, 0, 2], [0, 0, 0, 4]]))
    expected = x.clone()
    expected[0, :, 1:3, 0:2] = -1.0
    assert torch.equal(found, expected)


@pytest.mark.parametrize(("height", "width"), [(32, 32), (28, 20), (6, 6), (2, 9)])
def test_rectangles_lie_inside_and_have_sides_in_the_published_range(height: int, width: int) -> None:
    top, bottom, left, right = rectangles(3000, height, width, stream(0, "try")).T
    low, high = round((0.02 * height * width * 0.3) ** 0.5), round((0.4 * height * width / 0.3) ** 0.5)
    for start, end, side in ((top, bottom, height), (left, right, width)):
        length = end - start
        assert start.min() >= 0
        assert end.max() <= side
        assert set(length.tolist()) == set(range(low, max(low + 1, min(high, side))))


def test_signals_are_moved_and_mirrored() -> None:
    x = torch.arange(40.0).reshape(1, 2, 20)
    channels = Layout(picture=False, rank=2, along=-1, low=0.0, span=1.0)
    assert shifted(x, channels, 0.1)[0, 0].tolist() == [*range(2, 20), 19, 19]
    assert shifted(x, channels, -0.05)[0, 1].tolist() == [20, *range(20, 39)]
    sequence = Layout(picture=False, rank=2, along=-2, low=0.0, span=1.0)
    assert shifted(x, sequence, 0.01)[0].tolist() == [x[0, 1].tolist(), x[0, 1].tolist()]  # one step at least
    changed = {name: change(x) for name, change in signals_changed(channels).items()}
    assert list(changed) == ["mirror", "earlier-5", "later-5", "earlier-10", "later-10"]
    assert changed["mirror"][0, 0].tolist() == list(range(19, -1, -1))
    assert changed["earlier-10"][0, 0, 0] == 2
    assert changed["later-10"][0, 0, 3] == 1


def test_the_seven_changes() -> None:
    x = pictures(500, 3, 8, 8)
    changes = pictures_changed(500, 8, 8, COLOUR, 5)
    made = {name: change(x) for name, change in changes.items()}
    assert list(made) == ["mirror", "saturation", "crop", "edges", "brightness", "mirror-saturation", "erase"]
    assert torch.equal(made["mirror"], x.flip(-1))
    assert torch.equal(made["brightness"], x + 2.0)
    factor = 0.6 + torch.rand(500, generator=stream(5, "saturation", 0))
    torch.testing.assert_close(made["saturation"], saturated(x, COLOUR, factor))
    other = 0.6 + torch.rand(500, generator=stream(5, "saturation", 1))
    torch.testing.assert_close(made["mirror-saturation"], saturated(x.flip(-1), COLOUR, other))
    assert ((made["erase"] == -1.0) | (made["erase"] == x)).all()


def test_all_members_meet_the_same_draws() -> None:
    shared = pictures(4, 3, 8, 8)
    own = torch.stack([shared, shared.flip(0)])
    for change in pictures_changed(4, 8, 8, COLOUR, 1).values():
        for member in (0, 1):
            torch.testing.assert_close(change(own)[member], change(own[member]))
    found = augmented(own, COLOUR, 1)
    for member in (0, 1):
        torch.testing.assert_close(found[member], augmented(own[member], COLOUR, 1))


def test_augmentation_draws_what_the_winners_drew() -> None:
    # A bright left half: its side tells the mirror, its contrast the factor, and the middle is never moved across the edge.
    x = torch.zeros(2000, 1, 4, 40)
    x[..., :20] = 1.0
    grey = Layout(picture=True, rank=3, along=-1, low=0.0, span=1.0)
    found = augmented(x, grey, 3)
    left, right = found[..., 0].mean((1, 2)), found[..., -1].mean((1, 2))
    mirrored = right > left
    # 1000 of 2000 with deviation 22.4: six deviations are passed with chance 2e-9
    assert abs(int(mirrored.sum()) - 1000) < 134
    contrast = (left - right).abs().double().numpy()
    assert kstest(contrast, "uniform", args=(0.7, 0.3)).pvalue > 1e-6


def test_half_of_the_pictures_are_zoomed() -> None:
    ramp = torch.linspace(0.0, 1.0, 41).expand(2000, 41, 41)
    found = augmented(ramp, GREY, 3)
    span = (found[:, 0, -1] - found[:, 0, 0]).abs()  # contrast times scale
    contrast = 0.7 + 0.3 * torch.rand(4, 2000, generator=stream(3, "augmented"))[1]
    scale = (span / contrast * 100).round().long()
    assert abs(int((scale == 100).sum()) - 1000) < 134
    assert set(scale.tolist()) == {*range(85, 101)}
