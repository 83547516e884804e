"""Curvature at the centre and where chains are, against what is known of quadratics."""

import math

import numpy as np
import pytest
import torch
from tests.oracles.posteriors import NBETA, LossField, normal_crossing, quadratic, quadratic_coefficient, target

from heldout.engine.sampling.curvature import Curvature, curvature, stiffness, whitening
from heldout.engine.sampling.randomness import Streams
from heldout.engine.sampling.spectra import spectra
from heldout.engine.sampling.target import Target

STREAMS = Streams(0, 8)
WIDE = (5.0, 1.0, 0.2, *np.geomspace(1e-4, 1e-3, 297))  # more than are formed whole


def curved(law: Target) -> Curvature:
    return curvature(law, spectra(law, STREAMS), STREAMS)


def test_a_small_hessian_is_formed_whole() -> None:
    found = curved(target(quadratic((0.3, 7.0)), localisation=2.0))
    assert float(found.largest) == pytest.approx(7.0)
    assert float(found.smallest) == pytest.approx(0.3)
    assert float(found.effective) == pytest.approx(quadratic_coefficient((0.3, 7.0), NBETA, 2.0))
    assert float(found.effective_error) == 0.0


def test_a_large_one_is_probed() -> None:
    """Six random signs give the trace of a diagonal matrix exactly; Lanczos's quadrature adds little."""
    found = curved(target(quadratic(WIDE)))
    assert float(found.largest) == pytest.approx(5.0, rel=1e-6)
    assert float(found.effective) == pytest.approx(quadratic_coefficient(WIDE, NBETA, 1.0), rel=0.01)


@pytest.mark.parametrize("precisions", [(1.0, 5.0), WIDE])
def test_the_deficit_is_what_a_newton_step_would_gain(precisions: tuple[float, ...]) -> None:
    field = quadratic(precisions)
    field.centres[0, :2] += 0.2
    h = np.array(precisions[:2])
    exact = 0.5 * ((NBETA * h * 0.2) ** 2 / (NBETA * h + 1)).sum()
    assert float(curved(target(field)).deficit) == pytest.approx(exact, rel=1e-4)


def test_a_saddle_with_a_slope_has_no_minimum_beside_it() -> None:
    field = LossField(lambda w: w[:, 0].square() - 0.1 * w[:, 1].square() + 0.1 * w[:, 1], 2)
    found = curved(target(field))
    assert math.isinf(float(found.deficit))
    assert float(found.smallest) == pytest.approx(-0.2)


@pytest.mark.parametrize("precisions", [(1.0, 5.0), WIDE])
def test_whitening_makes_a_quadratic_law_round(precisions: tuple[float, ...]) -> None:
    law = target(quadratic(precisions))
    maps = whitening(law, law.start, STREAMS)
    rows, group_of = torch.eye(len(precisions), dtype=torch.float64)[:2], torch.zeros(2, dtype=torch.int64)
    twice = maps.apply(maps.apply(rows, group_of), group_of)
    exact = 1 / (NBETA * torch.tensor(precisions[:2], dtype=torch.float64) + 1)
    assert torch.allclose(twice[:, :2].diagonal(), exact, rtol=1e-3)


def test_what_is_stiff_for_some_chains_only_is_not_whitened() -> None:
    """On ``w_1^2 w_2^2`` one chain in each arm: every direction is flat for one of them."""
    law = target(normal_crossing(1, 1), nbeta=1000.0, chains=2)
    arms = torch.tensor([[1.0, 0.0], [0.0, 1.0]], dtype=torch.float64)
    maps = whitening(law, arms, STREAMS)
    assert maps.precisions.max() < 2.1  # half of the prior's variance in each direction


def test_the_stiffest_direction_where_a_chain_is() -> None:
    law = target(normal_crossing(1, 1), nbeta=100.0, chains=2)
    position = torch.tensor([[0.0, 0.0], [3.0, 0.0]], dtype=torch.float64)
    assert stiffness(law, position, STREAMS).tolist() == pytest.approx([1.0, 2 * 100 * 9 + 1.0])


def test_the_trace_beyond_what_was_found_is_probed() -> None:
    """A Hessian that is not diagonal, so that signs do not give its trace exactly, against all its eigenvalues."""
    generator = torch.Generator().manual_seed(0)
    values = torch.tensor([*WIDE, *np.linspace(-2e-3, 0.1, 100)], dtype=torch.float64)
    turn = torch.linalg.qr(torch.randn(len(values), len(values), dtype=torch.float64, generator=generator)).Q
    hessian = turn @ torch.diag(values) @ turn.T
    law = target(LossField(lambda w: 0.5 * ((w @ hessian) * w).sum(1), len(values)))
    known = spectra(law, STREAMS)
    found = curvature(law, known, STREAMS)
    exact = float((0.5 * NBETA * values / (NBETA * values + 1)).sum())
    assert 0 < int(known.found.sum()) < known.found.numel()
    assert 0 < float(found.effective_error) < 0.1 * exact
    many = torch.stack([curvature(law, known, Streams(seed, 8)).effective for seed in range(40)])
    # 120 probes: five standard errors of their mean are 6e-7 of a failure
    assert abs(float(many.mean()) - exact) < 5 * float(many.std()) / 40**0.5 < 0.05 * exact
    assert float(found.smallest) == pytest.approx(-2e-3, rel=0.2)
