"""Anchors against a slow reference, and capacities, radii and dimensions of points, segments, circles and balls in closed form."""

import math

import numpy as np
import pytest
import torch
from tests.oracles import manifolds as oracle

from heldout.engine.numerics.manifold_geometry import Anchored, anchored, coordinates, dichotomies

DRAWS = 1000


def read(points: torch.Tensor, draws: int = DRAWS) -> Anchored:
    generator = torch.Generator().manual_seed(0)
    signs = dichotomies(len(points), draws, generator)
    probes = torch.randn(draws, points.shape[-1], generator=generator, dtype=torch.float64)
    return anchored(points.double().unsqueeze(0), signs, probes)


def spheres(clouds: int, dimension: int, radius: float, directions: torch.Tensor) -> torch.Tensor:
    """Clouds ``centre + radius * direction`` around orthogonal centres of length 1, all their axes orthogonal too."""
    eye = torch.eye(clouds * (dimension + 1), dtype=torch.float64)
    blocks = eye.reshape(clouds, dimension + 1, -1)
    return blocks[:, :1] + radius * directions.double() @ blocks[:, 1:]


def assert_within_noise(draws: torch.Tensor, expected: float) -> None:
    """Five and a half standard errors: once in 25 million."""
    mean, error = float(draws.mean()), float(draws.std()) / math.sqrt(draws.numel())
    assert abs(mean - expected) < 5.5 * error, f"{mean} +- {error} against {expected}"


def test_against_scipy_probe_by_probe() -> None:
    generator = torch.Generator().manual_seed(1)
    points = torch.randn(4, 3, 14, generator=generator, dtype=torch.float64) + 2 * torch.randn(
        4, 1, 14, generator=generator
    )
    signs = dichotomies(4, 40, generator)
    probes = torch.randn(40, 14, generator=generator, dtype=torch.float64)
    found = anchored(points.unsqueeze(0), signs, probes)
    expected = oracle.anchored(points.numpy(), signs.numpy(), probes.numpy())
    for name in ("whole", "axes", "damped"):
        ours = getattr(found, name)[0].sum(-1).numpy()
        np.testing.assert_allclose(ours, expected[name], rtol=1e-6, atol=1e-8, err_msg=name)
    np.testing.assert_allclose(found.centres[0].numpy(), expected["centres"], rtol=1e-6, atol=1e-8)
    assert found.converged.all()


def test_points_have_the_capacity_two_and_neither_radius_nor_dimension() -> None:
    generator = torch.Generator().manual_seed(0)
    signs = dichotomies(6, 200, generator)
    probes = torch.randn(200, 6, generator=generator, dtype=torch.float64)
    found = anchored(torch.eye(6, dtype=torch.float64).reshape(1, 6, 1, 6), signs, probes)
    # of an orthant the projection is known draw by draw: what has the right sign stays; on average half
    torch.testing.assert_close(found.whole[0], (signs * probes).clamp(min=0).square())
    assert (found.axes == 0).all()
    assert (found.damped == 0).all()


@pytest.mark.parametrize("radius", [0.5, 1.0, 3.0])
def test_segments_have_the_capacity_of_wedges(radius: float) -> None:
    found = read(spheres(5, 1, radius, torch.tensor([[1.0], [-1.0]])))
    # a wedge of opening 2 arctan R: the whole probe inside, its part along an edge beside it
    assert_within_noise(found.whole[0].mean(1), 0.5 + 2 * math.atan(radius) / math.pi)


@pytest.mark.parametrize("radius", [0.5, 1.5])
def test_discs_have_the_capacity_and_the_radius_of_balls(radius: float) -> None:
    angles = 2 * math.pi * torch.arange(48, dtype=torch.float64) / 48
    found = read(spheres(3, 2, radius, torch.stack([angles.cos(), angles.sin()], 1)))
    assert_within_noise(found.whole[0].mean(1), oracle.ball_cone(radius, 2))  # 48 corners miss 0.3 % of it
    axes, damped = found.axes[0].sum(1), found.damped[0].sum(1)
    # orthogonal centres of length 1: every touched disc whose anchor lies on the rim has c / (b - c) = R^2
    rim = (damped / (axes - damped)).sqrt()
    assert float(rim.nanquantile(0.9)) == pytest.approx(radius, rel=0.05)
    assert float(axes.mean()) / 3 <= 2.0


def test_large_spheres_have_the_capacity_of_their_dimension_and_radius() -> None:
    generator = torch.Generator().manual_seed(2)
    directions = torch.nn.functional.normalize(torch.randn(150, 3, generator=generator), dim=1)
    found = read(spheres(3, 3, 2.0, directions), draws=400)
    whole, damped = found.whole.mean(), found.damped.mean()
    assert float(damped / whole) > 0.75  # the utility grows to 1
    assert 1 / float(whole) == pytest.approx(1 / oracle.ball_cone(2.0, 3), rel=0.12)


def test_the_ball_of_the_oracle_is_a_wedge_in_one_dimension_and_a_half_space_in_the_end() -> None:
    assert oracle.ball_cone(0.7, 1) == pytest.approx(0.5 + 2 * math.atan(0.7) / math.pi, rel=1e-4)
    assert oracle.ball_cone(1e6, 4) == pytest.approx(4.5, rel=1e-3)
    assert oracle.ball_cone(1e-6, 4) == pytest.approx(0.5, rel=1e-3)


def test_coordinates_keep_the_points_and_forget_their_rotation() -> None:
    generator = torch.Generator().manual_seed(3)
    points = torch.randn(2, 7, 11, generator=generator, dtype=torch.float64)
    turn = torch.linalg.qr(torch.randn(11, 11, generator=generator, dtype=torch.float64)).Q
    ours, turned = coordinates(points), coordinates(points @ turn)
    assert ours.shape == (2, 7, 7)
    torch.testing.assert_close(ours, turned)
    torch.testing.assert_close(ours @ ours.transpose(1, 2), points @ points.transpose(1, 2))
    assert coordinates(points.transpose(1, 2)).shape == (2, 11, 7)


def test_dichotomies_are_never_constant_and_all_others_come() -> None:
    drawn = dichotomies(3, 300, torch.Generator().manual_seed(4))
    kinds = {tuple(row) for row in drawn.int().tolist()}
    assert len(kinds) == 6
    assert not kinds & {(1, 1, 1), (-1, -1, -1)}
    assert {tuple(row) for row in dichotomies(2, 50, torch.Generator().manual_seed(5)).int().tolist()} == {
        (1, -1),
        (-1, 1),
    }


def test_more_points_in_the_way_leave_nothing_to_read() -> None:
    generator = torch.Generator().manual_seed(6)
    points = torch.randn(4, 30, 3, generator=generator, dtype=torch.float64)
    found = read(points, draws=50)
    assert (found.outside == 0).all()
    assert (found.axes == 0).all()
    assert (found.centres == 0).all()
    torch.testing.assert_close(found.whole.sum(-1).mean(), torch.tensor(3.0, dtype=torch.float64), rtol=0.5, atol=0.0)
