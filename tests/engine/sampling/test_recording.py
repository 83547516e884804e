"""What is kept of draws stays evenly spaced and within its memory."""

import numpy as np
import pytest
import torch
from tests.oracles.posteriors import quadratic, target

from heldout.engine.sampling import recording
from heldout.engine.sampling.langevin import Sgld
from heldout.engine.sampling.randomness import Streams
from heldout.engine.sampling.recording import Recorder


def recorded(draws: int, chains: int = 3) -> Recorder:
    field = quadratic((1.0, 2.0), parts=(1, 1))
    law, streams = target(field, nbeta=10.0, chains=chains), Streams(0, chains)
    kept, state = Recorder(field, None, chains), Sgld().begin(law, streams)
    for number in range(draws):
        state = Sgld().step(law, state, torch.tensor([0.05], dtype=torch.float64), streams, number)
        kept.add(torch.tensor([0]), law, state._replace(energy=law.energy(state.position)))
    return kept


def test_every_number_is_that_of_its_draw() -> None:
    found = recorded(20).of(0, np.array([True, False, True]))
    assert found.mean_losses.shape == (2, 20)
    assert found.virials.shape == (2, 20, 2)
    assert found.losses.mean(2) == pytest.approx(found.mean_losses, rel=1e-5)
    # w grad U is (10 h + 1) w^2, and the loss 1/2 sum h w^2
    squares = found.virials / np.array([11.0, 21.0])
    assert squares.sum(2) == pytest.approx(found.distances)
    assert 0.5 * squares @ np.array([1.0, 2.0]) == pytest.approx(found.mean_losses)


def test_single_losses_are_thinned_to_their_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "KEPT_BYTES", 8 * 3 * 4 * 4)  # eight draws of three chains and four examples
    found = recorded(40).of(0, np.ones(3, dtype=bool))
    assert found.mean_losses.shape[1] == 40
    assert 4 <= found.losses.shape[1] <= 9
    stride = 40 // found.losses.shape[1]
    assert found.losses.mean(2) == pytest.approx(found.mean_losses[:, ::stride][:, : found.losses.shape[1]], rel=1e-5)


def test_burn_in_is_cut_from_both() -> None:
    found = recorded(20).of(0, np.ones(3, dtype=bool)).after(5)
    assert found.mean_losses.shape[1] == 15
    assert found.losses.mean(2) == pytest.approx(found.mean_losses, rel=1e-5)
