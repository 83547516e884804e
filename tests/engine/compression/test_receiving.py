"""The receiver rebuilds what was judged, or the certificate is refused: searched seeds, buffers that training moved."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from heldout.engine.compression import compressing
from heldout.engine.compression.compressing import Compressed, compressed
from heldout.engine.compression.receiving import check_received, received
from heldout.engine.population import Population
from heldout.engine.subject import as_examples
from heldout.engine.training import Recipe
from heldout.records import Refusal

X = 3 + torch.randn(60, 6, generator=torch.Generator().manual_seed(0))
DATA = as_examples((X, (X[:, 0] > 3).long()), "data")


def make() -> nn.Module:
    return nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 2))


START = Population.of(make, 2, seed=0)


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> Compressed:
    monkeypatch.setattr(compressing, "STEPS", 20)
    monkeypatch.setattr(compressing, "TUNING_STEPS", 10)
    return compressed(START, DATA, Recipe(batch_size=30), dimension=9, codebooks=((3, True),), seed=4, kind="sparse")[0]


def test_the_message_and_the_agreed_seed_are_enough(found: Compressed) -> None:
    check_received(found, START, seed=4)
    weights = received(START, found.messages[1].bits, 1, seed=4)
    network = make().eval()
    network.load_state_dict({**network.state_dict(), **weights})
    torch.testing.assert_close(network(X).detach(), found.networks(X)[1].detach(), rtol=1e-4, atol=1e-5)


def test_a_seed_that_was_searched_and_not_paid_for_is_refused(found: Compressed) -> None:
    with pytest.raises(Refusal, match="with seed 5 stands for another network"):
        check_received(found, START, seed=5)


def test_messages_of_other_networks_are_refused(found: Compressed) -> None:
    with pytest.raises(Refusal, match="stands for another network"):
        check_received(replace(found, messages=found.messages[::-1]), START, seed=4)


def test_batch_norms_keep_the_statistics_that_were_agreed_on(found: Compressed) -> None:
    """Inputs have mean 3: a batch norm in training mode would have moved its running mean far from 0."""
    kept = found.networks.buffers["buffer/1/running_mean"]
    assert torch.equal(kept, START.buffers["1.running_mean"])
    moved = {**found.networks.buffers, "buffer/1/running_mean": kept + 0.5}
    networks = found.networks.with_tensors(found.networks.parameters, moved)
    with pytest.raises(Refusal, match=r"buffer '1\.running_mean' is another than at the start"):
        check_received(replace(found, networks=networks), START, seed=4)
