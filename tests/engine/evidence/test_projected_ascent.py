"""Projected ascent on losses whose maximum in a ball is known."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from heldout.engine.evidence.projected_ascent import Climb, ascend, checkpoints


def quadratic(matrix: Tensor, slope: Tensor) -> Climb:
    """``b u + u A u / 2`` for every row."""
    return lambda u, _slopes: ((u * slope).sum(1) + (u * (u @ matrix)).sum(1) / 2, slope + u @ matrix)


def tensor(values: object) -> Tensor:
    return torch.tensor(np.asarray(values), dtype=torch.float64)


@given(st.lists(st.floats(-3, 3), min_size=3, max_size=6), st.floats(0.01, 2))
def test_a_linear_loss_rises_by_the_dual_norm(slope: list[float], radius: float) -> None:
    climb = quadratic(torch.zeros(len(slope), len(slope), dtype=torch.float64), tensor(slope))
    start = torch.zeros(1, len(slope), dtype=torch.float64)
    euclidean, box = (ascend(climb, start, radius, norm) for norm in ("l2", "linf"))
    assert euclidean.rise.item() == pytest.approx(radius * np.linalg.norm(slope), rel=1e-9, abs=1e-12)
    assert box.rise.item() == pytest.approx(radius * np.abs(slope).sum(), rel=1e-9, abs=1e-12)
    assert euclidean.late.item() <= 1e-12


@pytest.mark.parametrize("radius", [0.1, 2.0])
def test_at_a_critical_point_it_is_half_rho_squared_lambda_max(radius: float) -> None:
    basis = np.linalg.qr(np.random.default_rng(0).normal(size=(6, 6)))[0]
    matrix = tensor(basis @ np.diag([-4.0, 0, 0.5, 1, 2, 5]) @ basis.T)
    start = 1e-3 * radius * torch.nn.functional.normalize(tensor(np.random.default_rng(1).normal(size=(3, 6))), dim=1)
    found = ascend(quadratic(matrix, tensor(np.zeros(6))), start, radius, "l2")
    assert found.rise.numpy() == pytest.approx(radius**2 / 2 * 5, rel=1e-3)
    assert (found.rise <= radius**2 / 2 * 5 + 1e-12).all()  # nothing outside of the ball is counted
    in_the_centre = ascend(quadratic(matrix, tensor(np.zeros(6))), torch.zeros_like(start), radius, "l2")
    assert in_the_centre.rise.abs().max() == 0  # no direction of ascent there


def test_an_inner_maximum_is_found_by_smaller_steps() -> None:
    # Maximum b^2 / (2 a) inside of the box; steps of 2 rho only jump over it.
    climb = quadratic(tensor([[-10.0]]), tensor([1.0]))
    start = torch.full((1, 1), 1e-3, dtype=torch.float64)
    long, short = ascend(climb, start, 1.0, "linf", steps=200), ascend(climb, start, 1.0, "linf", steps=4)
    assert long.rise.item() == pytest.approx(1 / 20, rel=1e-3)
    assert short.rise.item() < 0.04  # 4 steps see no checkpoint at which the step could shrink enough
    assert long.late.item() < 0.01 * long.rise.item()


def test_a_loss_that_falls_everywhere_has_no_rise() -> None:
    climb = quadratic(-torch.eye(2, dtype=torch.float64), tensor([0.0, 0.0]))
    assert ascend(climb, tensor([[0.01, 0.0]]), 1.0, "l2").rise.item() == 0.0


def test_every_row_keeps_its_own_step() -> None:
    curvatures = tensor([[-10.0], [3.0]])

    def both(u: Tensor, _slopes: bool) -> tuple[Tensor, Tensor]:
        bend = curvatures[: len(u)]
        return (u + bend * u**2 / 2)[:, 0], 1 + bend * u

    start = torch.full((2, 1), 1e-3, dtype=torch.float64)
    together = ascend(both, start, 1.0, "l2", steps=60)
    alone = ascend(both, start[:1], 1.0, "l2", steps=60)
    assert together.rise[0].item() == alone.rise[0].item() == pytest.approx(1 / 20, rel=1e-2)
    assert together.rise[1].item() == pytest.approx(1 + 1.5)


def test_checkpoints_of_a_hundred_steps() -> None:
    # 0.22, then distances that shrink by 0.03 to 0.06 (Croce and Hein 2020, section 3.2).
    assert sorted(checkpoints(100)) == [22, 41, 57, 70, 80, 87, 93, 99]
