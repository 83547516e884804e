"""Pilots on laws whose coordinates, steps and variances are known."""

import math

import pytest
import torch
from tests.oracles.posteriors import NBETA, LossField, normal_crossing, quadratic, target

from heldout.engine.sampling.curvature import curvature
from heldout.engine.sampling.hamiltonian import Hmc
from heldout.engine.sampling.langevin import RmspropSgld, Sgld
from heldout.engine.sampling.metropolis import Mala
from heldout.engine.sampling.randomness import Streams
from heldout.engine.sampling.spectra import at_centres, spectra
from heldout.engine.sampling.state import Sampler
from heldout.engine.sampling.thermostat import Sgnht
from heldout.engine.sampling.tuning import PRODUCT, ROUND, Tuned, tune

STREAMS = Streams(0, 8)


def tuned(sampler: Sampler, field: LossField, *, given: float | None = None, localisation: float = 1.0) -> Tuned:
    law = target(field, localisation=localisation)
    known = spectra(law, STREAMS)
    return tune(sampler, law, at_centres(law, known), curvature(law, known, STREAMS), STREAMS, None, given)


def hmc() -> Hmc:
    return Hmc(torch.ones(1))


def test_a_quadratic_law_is_round_at_once() -> None:
    """Followed exactly in these coordinates: the largest step, every proposal accepted, no second pilot and no second Hessian."""
    found = tuned(hmc(), quadratic())
    assert float(found.size) >= ROUND
    assert float(found.metropolis) == pytest.approx(1.0, abs=1e-6)
    assert float(found.spent) < 35 * PRODUCT + 20 * 24
    assert isinstance(found.sampler, Hmc)
    assert found.sampler.slowest.tolist() == pytest.approx([1.0], rel=0.6)  # 80 draws of five variances: the largest
    assert (found.state.position != 0).all()


def test_a_singular_law_gets_the_coordinates_of_where_its_chains_are() -> None:
    """``w_1^2 w_2^2`` is flat at its centre, so that the first coordinates say nothing of the arms' steep walls."""
    found = tuned(hmc(), normal_crossing(1, 1))
    assert found.target.whitening is not None
    assert float(found.target.whitening.precisions.max()) > 2.0
    assert 0.4 < float(found.metropolis) <= 1.0


def test_mala_is_adapted_to_its_acceptance() -> None:
    found = tuned(Mala(), quadratic())
    assert 0.35 < float(found.metropolis) < 0.95  # about 0.57, by 8 chains and 60 proposals
    assert int(found.steps) == math.ceil(float(_slowest(found) / found.size))


def _slowest(found: Tuned) -> torch.Tensor:
    assert found.target.whitening is not None
    along = torch.einsum("cp,pk->ck", found.state.position, found.target.whitening.directions[0])
    return along.square().mean(0).max().clamp(0.1, float(found.target.whitening.longest)).double()


@pytest.mark.parametrize("sampler", [Sgld(), Sgnht()])
def test_unadjusted_chains_begin_at_their_centres_with_a_step_far_from_unstable(sampler: Sampler) -> None:
    found = tuned(sampler, quadratic())
    assert (found.state.position == 0).all()
    limit = 2.0 if sampler.name == "sgnht" else 4.0  # in coordinates where every precision is 1
    assert 0 < float(found.size) < limit / 2
    assert float(found.metropolis) > 0.5


def test_a_preconditioned_chain_keeps_the_plain_coordinates() -> None:
    found = tuned(RmspropSgld(), quadratic())
    assert found.target.whitening is None
    assert float(found.size) < 4 / (NBETA * 5 + 1)


def test_a_step_that_is_given_is_taken_as_it_is() -> None:
    found = tuned(Sgld(), quadratic(), given=3e-4, localisation=2.0)
    assert found.target.whitening is None
    assert (float(found.size), int(found.steps)) == (3e-4, math.ceil(0.5 / 3e-4))
    assert float(found.spent) == 1.0
    assert math.isnan(float(found.metropolis))
