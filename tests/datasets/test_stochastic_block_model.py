"""Stochastic block models: edge rates, features, splits, refusals, and the same graph in the network."""

from typing import Any

import numpy as np
import pytest
import torch

from heldout.datasets.stochastic_block_model import stochastic_block_model
from heldout.engine.numerics.block_models import block_model
from heldout.networks.graph_convolutional import graph_convolutional
from heldout.records import Refusal


def test_edges_and_features_follow_their_law() -> None:
    graph = block_model(nodes=900, classes=3, within=0.2, between=0.05, dimension=5, noise=0.5, seed=4)
    same = graph.labels[:, None] == graph.labels[None]
    upper = np.triu(np.ones_like(same), 1)
    assert np.array_equal(graph.adjacency, graph.adjacency.T)
    assert not graph.adjacency.diagonal().any()
    assert np.bincount(graph.labels).tolist() == [300, 300, 300]
    # 134,550 and 270,000 pairs: standard errors below 0.0011 and 0.0005; six of them
    assert graph.adjacency[same & upper].mean() == pytest.approx(0.2, abs=0.007)
    assert graph.adjacency[~same & upper].mean() == pytest.approx(0.05, abs=0.003)
    centres = np.stack([graph.features[graph.labels == c].mean(0) for c in range(3)])
    assert np.linalg.norm(centres, axis=1) == pytest.approx(np.ones(3), abs=0.2)  # six standard errors of 0.029
    spread = graph.features - centres[graph.labels]
    assert spread.std() == pytest.approx(0.5, abs=0.04)


def test_labelled_and_other_nodes_make_the_graph() -> None:
    settings: dict[str, Any] = {"labelled": 70, "nodes": 200, "classes": 3, "dimension": 5, "noise": 0.3}
    (seen, y), (unseen, rest) = stochastic_block_model(seed=2, **settings)
    labels = block_model(nodes=200, classes=3, dimension=5, noise=0.3, seed=2).labels
    assert sorted(torch.cat([seen, unseen]).tolist()) == list(range(200))
    assert len(seen) == 70
    assert torch.equal(torch.cat([y, rest]), torch.from_numpy(labels)[torch.cat([seen, unseen])])
    (again, _), _ = stochastic_block_model(seed=2, split_seed=1, **settings)
    assert not torch.equal(seen, again)
    # of 100 splits a node is labelled in 35 on average, deviation 4.8: six of them
    drawn = sum(int((stochastic_block_model(seed=2, split_seed=k, **settings)[0][0] == 7).sum()) for k in range(100))
    assert 7 <= drawn <= 63


def test_every_setting_reaches_the_graph() -> None:
    base = block_model(nodes=60)
    for change in ({"within": 0.5}, {"between": 0.5}, {"seed": 1}):
        assert not np.array_equal(base.adjacency, block_model(nodes=60, **change).adjacency), change
    assert not np.array_equal(base.features, block_model(nodes=60, noise=2.0).features)
    assert np.array_equal(base.adjacency, block_model(nodes=60, noise=2.0).adjacency)


def test_the_network_holds_the_same_graph() -> None:
    settings: dict[str, Any] = {"nodes": 50, "classes": 3, "within": 0.4, "between": 0.1, "dimension": 4, "noise": 0.2}
    graph = block_model(seed=5, **settings)
    network = graph_convolutional(graph_seed=5, diffusion="plain", outputs=3, **settings)
    buffers = dict(network.named_buffers())
    assert np.array_equal(buffers["diffusion"].numpy(), graph.adjacency)
    np.testing.assert_allclose(buffers["diffused"].numpy(), graph.adjacency @ graph.features, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("change", "word"),
    [({"within": 1.5}, "within"), ({"between": -0.1}, "between"), ({"classes": 1}, "classes"), ({"dimension": 0}, "dimension"),
     ({"noise": -1.0}, "noise"), ({"labelled": 600}, "labelled"), ({"labelled": 0}, "labelled")],
)  # fmt: skip
def test_nonsense_is_refused(change: dict[str, Any], word: str) -> None:
    with pytest.raises(Refusal, match=word):
        stochastic_block_model(**change)
