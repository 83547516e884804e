"""Eigenvalues at the centres, against Hessians that are known."""

import numpy as np
import pytest
import torch
from tests.oracles.posteriors import LossField, quadratic, target

from heldout.engine.sampling.curvature import whitening
from heldout.engine.sampling.randomness import Streams
from heldout.engine.sampling.spectra import CONVERGED, DIRECTION_ENTRIES, at_centres, room, spectra
from heldout.engine.sampling.target import Target

STREAMS = Streams(0, 8)
WIDE = (5.0, 1.0, 0.2, *np.geomspace(1e-4, 1e-3, 297))  # more than are formed whole


def test_a_small_hessian_has_all_its_eigenvalues() -> None:
    found = spectra(target(quadratic((0.3, 7.0), members=2)), STREAMS)
    assert found.values.tolist() == [pytest.approx([0.3, 7.0])] * 2
    assert found.found.all()
    assert found.place.tolist() == [0, 1]


def test_of_a_large_one_what_is_said_to_be_found_is_an_eigenvalue() -> None:
    """Negative ones that stand out too; the rest of the Ritz values is not said to be found."""
    values = torch.tensor([*WIDE[:-1], -0.5], dtype=torch.float64)
    law = target(LossField(lambda w: 0.5 * (values * w.square()).sum(1), len(values)))
    found = spectra(law, STREAMS)
    sure = found.values[0][found.found[0]]
    assert len(sure) < len(found.values[0])
    assert {-0.5, 0.2, 1.0, 5.0} <= {round(float(value), 6) for value in sure}
    assert max(float((values - value).abs().min() / value.abs()) for value in sure) < CONVERGED


def test_room_is_for_two_at_least() -> None:
    assert (room(300, 1), room(3, 1), room(DIRECTION_ENTRIES, 10)) == (40, 3, 2)


@pytest.mark.parametrize("precisions", [(1.0, 5.0), WIDE])
def test_at_the_centre_one_hessian_serves_all_chains_and_temperatures(precisions: tuple[float, ...]) -> None:
    field, ones = quadratic(precisions), torch.ones(2, dtype=torch.float64)
    law = Target.of(field, torch.tensor([0, 0]), torch.tensor([20.0, 100.0], dtype=torch.float64), ones, 3)
    once, everywhere = at_centres(law, spectra(law, STREAMS)), whitening(law, law.start, STREAMS)
    rows, group_of = torch.eye(len(precisions), dtype=torch.float64)[:2].repeat(2, 1), torch.tensor([0, 0, 1, 1])
    assert torch.allclose(once.apply(rows, group_of), everywhere.apply(rows, group_of), atol=1e-6)
