"""Which networks may be drawn by their pre-activations, and that these have the right law."""

import math

import pytest
import torch
from tests import architectures
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional as F

from heldout.engine.population import Population
from heldout.engine.posteriors.dense import dense_layers, drawn_template


class ReadsItsWeight(nn.Module):
    """Calls its layer once, and reads its weight beside."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Tensor:
        return F.normalize(self.layer(x)) + self.layer.weight.norm()


class CallsTwice(nn.Module):
    """Calls its layer twice: its two outputs share weights."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(torch.tanh(self.layer(x)))


class Protesting(nn.Module):
    """Works with weights that are numbers only."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        if not bool(self.layer.weight.isfinite().all()):
            raise RuntimeError("weights are no numbers")
        return self.layer(x)


class Normalised(nn.Module):
    """Dense layers with functions between them that hold no weights."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(4, 5), nn.Linear(5, 3, bias=False)])

    def forward(self, x: Tensor) -> Tensor:
        return self.layers[1](F.normalize(torch.relu(self.layers[0](x.flatten(1)))))


def test_dense_networks_are_known() -> None:
    assert dense_layers(Population(nn.Linear(4, 3)), torch.zeros(1, 4)) == {"": 3}
    assert dense_layers(Population(architectures.mlp()), torch.zeros(1, 8))
    assert dense_layers(Population(Normalised()), torch.zeros(1, 2, 2)) == {"layers.0": 5, "layers.1": 3}


@pytest.mark.parametrize(
    ("network", "example"),
    [
        (architectures.cnn(), torch.zeros(1, 2, 6, 6)),
        (architectures.Tied(), torch.zeros(1, 8)),
        (architectures.Transformer(), torch.zeros(1, 5, 4)),
        (architectures.Recurrent(), torch.zeros(1, 5, 4)),
        (ReadsItsWeight(), torch.ones(1, 4)),
        (CallsTwice(), torch.ones(1, 4)),
        (nn.Sequential(nn.Linear(4, 4), nn.LayerNorm(4)), torch.zeros(1, 4)),
        (nn.Sequential(nn.Linear(4, 3)), torch.zeros(1, 5, 4)),  # a sequence shares the weights of its places
    ],
)
def test_shared_weights_are_never_drawn_by_pre_activations(network: nn.Module, example: Tensor) -> None:
    assert dense_layers(Population(network), example) == {}


def test_pre_activations_have_mean_and_variance_of_the_weights() -> None:
    population = Population(nn.Linear(3, 2))
    layers = dense_layers(population, torch.zeros(1, 3))
    template = drawn_template(population, layers)
    x = torch.tensor([[1.0, -2.0, 0.0], [0.0, 0.0, 0.0]])
    weight, bias = (tensor[0] for tensor in population.parameters.values())
    scales = {"weight_scale": torch.tensor([[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]]), "bias_scale": torch.tensor([0.7, 0.0])}
    deviations = []
    for sign in (1.0, -1.0):
        tensors = {"weight": weight, "bias": bias, **scales, "noise": torch.full((2, 2), sign)}
        deviations.append(functional_call(template, tensors, (x,)) - F.linear(x, weight, bias))
    expected = [[math.sqrt(0.01 + 4 * 0.04 + 0.49), math.sqrt(0.16 + 4 * 0.25)], [0.7, 0.0]]
    assert torch.allclose(deviations[0], torch.tensor(expected), atol=1e-6)
    assert torch.allclose(deviations[1], -deviations[0], atol=1e-6)


def test_inputs_of_another_precision_and_modules_that_protest() -> None:
    population = Population(architectures.mlp())
    assert dense_layers(population, torch.zeros(1, 8, dtype=torch.float64)) == dense_layers(
        population, torch.zeros(1, 8)
    )
    assert dense_layers(Population(Protesting()), torch.zeros(1, 4)) == {}


def test_the_network_itself_is_left_as_it_is() -> None:
    network = architectures.mlp()
    before = network(torch.ones(2, 8))
    population = Population(network)
    drawn_template(population, dense_layers(population, torch.zeros(1, 8)))
    assert torch.equal(network(torch.ones(2, 8)), before)
    assert not network._forward_hooks
