"""Graph convolutional networks: matrices by hand, outputs by formula, graphs in all their forms, populations."""

import networkx  # type: ignore[import-untyped, unused-ignore]
import numpy as np
import pytest
import scipy.sparse
import torch

from heldout.engine.population import Population
from heldout.engine.population.graph_convolution import DIFFUSIONS, diffusion_matrix
from heldout.networks.graph_convolutional import graph_convolutional
from heldout.records import Refusal

PATH = [[0.0, 1.0, 0.0], [1.0, 0.0, 1.0], [0.0, 1.0, 0.0]]


def test_matrices_of_a_path_by_hand() -> None:
    a, b = 1 / 6**0.5, 1 / 3
    normalised = torch.tensor([[0.5, a, 0.0], [a, b, a], [0.0, a, 0.5]])
    expected = {
        "none": torch.eye(3),
        "plain": torch.tensor(PATH),
        "self-loops": torch.tensor(PATH) + torch.eye(3),
        "normalised": normalised,
        "residual": 0.25 * torch.eye(3) + 0.75 * normalised,
    }
    assert set(expected) == set(DIFFUSIONS)
    for kind, matrix in expected.items():
        assert torch.allclose(diffusion_matrix(PATH, kind, residual=0.25), matrix), kind


@pytest.mark.parametrize("widths", [(), (5,), (5, 4)])
def test_outputs_by_formula(widths: tuple[int, ...]) -> None:
    draws = np.random.default_rng(0)
    x = draws.standard_normal((3, 2))
    network = graph_convolutional(
        adjacency=PATH, features=x, diffusion="residual", residual=0.3, widths=widths, outputs=3
    )
    s = diffusion_matrix(PATH, "residual", residual=0.3).double().numpy()
    hidden = x
    weights = [p.detach().double().numpy() for p in network.parameters()]
    for place, weight in enumerate(weights):
        hidden = s @ hidden @ weight.T
        hidden = np.maximum(hidden, 0) if place < len(weights) - 1 else hidden
    nodes = torch.tensor([2, 0])
    np.testing.assert_allclose(network(nodes).detach().numpy(), hidden[[2, 0]], rtol=1e-4, atol=1e-5)


def test_a_graph_in_all_its_forms() -> None:
    graph = networkx.Graph([("a", "b"), ("b", "c")])
    for given in (np.array(PATH), torch.tensor(PATH), scipy.sparse.csr_array(np.array(PATH)), graph):
        assert torch.equal(diffusion_matrix(given, "plain"), torch.tensor(PATH))
    graph.add_edge("a", "b", weight=2.5)
    assert diffusion_matrix(graph, "plain")[1, 0] == 2.5
    with pytest.raises(Refusal, match="symmetric"):
        diffusion_matrix(networkx.DiGraph([(0, 1)]), "plain")


def test_members_are_called_together_and_alike() -> None:
    networks = [graph_convolutional(nodes=30, widths=(4,)) for _ in range(3)]
    population, nodes = Population(networks), torch.arange(30)
    together = population(nodes)
    assert not population.loop_reason
    for member, network in enumerate(networks):
        assert torch.allclose(together[member], network(nodes), atol=1e-6)


def test_nonsense_is_refused() -> None:
    for given, word in (
        ({"adjacency": PATH}, "features"),
        ({"features": np.ones((3, 1))}, "adjacency"),
        ({"adjacency": PATH, "features": np.ones((2, 1))}, "features"),
        ({"adjacency": [[0, -1], [-1, 0]], "features": np.ones((2, 1))}, "negative"),
        ({"adjacency": [[0, 1]], "features": np.ones((1, 1))}, "square"),
        ({"diffusion": "magic"}, "diffusion"),
        ({"residual": 1.5}, "residual"),
    ):
        with pytest.raises(Refusal, match=word):
            graph_convolutional(**given)
