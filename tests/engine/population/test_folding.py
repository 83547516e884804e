"""Batch norm is folded where it can be, and the function stays what it was."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from tests import cases
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval, fuse_linear_bn_eval

from heldout.engine.population import Population, fold_batch_norm, weight_matrices

NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)


def stirred(network: nn.Module, seed: int = 0) -> nn.Module:
    """Running statistics and scales that are not those of a new norm."""
    generator = torch.Generator().manual_seed(seed)
    for layer in network.modules():
        if isinstance(layer, NORMS):
            for tensor in (layer.running_mean, layer.running_var, layer.weight, layer.bias):
                if tensor is not None:
                    tensor.data = 0.5 + torch.rand(tensor.shape, generator=generator)
    return network.eval()


def norms_in(population: Population) -> int:
    return sum(isinstance(layer, NORMS) for layer in population.template.modules())


class Skipping(nn.Module):
    """The raw output of the layer is used beside its norm."""

    def __init__(self) -> None:
        super().__init__()
        self.layer, self.norm = nn.Linear(5, 4), nn.BatchNorm1d(4)

    def forward(self, x: Tensor) -> Tensor:
        raw = self.layer(x)
        output: Tensor = raw + self.norm(raw)
        return output


class Twice(nn.Module):
    """One layer, called twice before its norm."""

    def __init__(self) -> None:
        super().__init__()
        self.layer, self.norm = nn.Linear(4, 4), nn.BatchNorm1d(4)

    def forward(self, x: Tensor) -> Tensor:
        output: Tensor = self.norm(self.layer(self.layer(x)))
        return output


class TiedBeforeNorm(nn.Module):
    """The weight before the norm belongs to another layer too."""

    def __init__(self) -> None:
        super().__init__()
        self.layer, self.norm, self.other = nn.Linear(4, 4), nn.BatchNorm1d(4), nn.Linear(4, 4)
        self.other.weight = self.layer.weight

    def forward(self, x: Tensor) -> Tensor:
        output: Tensor = self.other(self.norm(self.layer(x)))
        return output


def rows(*shape: int) -> Callable[[], Tensor]:
    return lambda: torch.randn(9, *shape, generator=torch.Generator().manual_seed(3))


#: Name -> network, inputs, norms that stay.
NETWORKS: dict[str, tuple[Callable[[], nn.Module], Callable[[], Tensor], int]] = {
    "conv": (lambda: nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.Flatten()), rows(2, 5, 5), 0),
    "conv without bias": (lambda: nn.Sequential(nn.Conv1d(2, 3, 3, bias=False), nn.BatchNorm1d(3)), rows(2, 5), 0),
    "grouped conv": (lambda: nn.Sequential(nn.Conv2d(4, 6, 3, groups=2), nn.BatchNorm2d(6)), rows(4, 5, 5), 0),
    "volumes": (lambda: nn.Sequential(nn.Conv3d(1, 2, 2), nn.BatchNorm3d(2)), rows(1, 3, 3, 3), 0),
    "linear": (lambda: nn.Sequential(nn.Linear(5, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 2)), rows(5), 0),
    "no affine": (lambda: nn.Sequential(nn.Linear(5, 4), nn.BatchNorm1d(4, affine=False)), rows(5), 0),
    "other eps": (lambda: nn.Sequential(nn.Linear(5, 4), nn.BatchNorm1d(4, eps=0.3)), rows(5), 0),
    "pre-activation": (lambda: nn.Sequential(nn.BatchNorm1d(5), nn.ReLU(), nn.Linear(5, 2)), rows(5), 1),
    "after relu": (lambda: nn.Sequential(nn.Linear(5, 4), nn.ReLU(), nn.BatchNorm1d(4)), rows(5), 1),
    "after relu in place": (lambda: nn.Sequential(nn.Linear(5, 4), nn.ReLU(inplace=True), nn.BatchNorm1d(4)), rows(5), 1),
    "raw output used": (Skipping, rows(5), 1),
    "layer called twice": (Twice, rows(4), 1),
    "tied weight": (TiedBeforeNorm, rows(4), 1),
    "another axis": (lambda: nn.Sequential(nn.Linear(5, 4), nn.BatchNorm1d(3)), rows(3, 5), 1),
    "another axis of equal length": (lambda: nn.Sequential(nn.Linear(5, 4), nn.BatchNorm1d(4)), rows(4, 5), 1),
    "weight norm": (lambda: nn.Sequential(nn.utils.parametrizations.weight_norm(nn.Linear(5, 4)), nn.BatchNorm1d(4)),
                    rows(5), 1),
    "one that folds, one that does not": (lambda: nn.Sequential(nn.Linear(5, 5), nn.BatchNorm1d(5), Skipping()),
                                          rows(5), 1),
    "no norm": (lambda: nn.Sequential(nn.Linear(5, 4), nn.ReLU()), rows(5), 0),
}  # fmt: skip


@pytest.mark.parametrize("name", NETWORKS)
def test_the_function_stays(name: str) -> None:
    make, inputs, stay = NETWORKS[name]
    x = inputs()
    population = Population([stirred(make(), seed) for seed in (0, 1)])
    before = {key: tensor.clone() for key, tensor in {**population.parameters, **population.buffers}.items()}
    folded = fold_batch_norm(population, x[:1])
    assert norms_in(folded) == stay
    torch.testing.assert_close(folded(x), population(x), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(folded.member(1)(x), population.member(1)(x), rtol=1e-4, atol=1e-5)
    assert folded.tally is population.tally
    for key, tensor in {**population.parameters, **population.buffers}.items():
        assert torch.equal(tensor, before[key]), f"'{key}' was changed"


def test_a_relu_in_place_that_does_nothing_to_the_example_is_still_seen() -> None:
    network: Any = stirred(NETWORKS["after relu in place"][0]())
    with torch.no_grad():
        network[0].weight.copy_(torch.eye(4, 5))
        network[0].bias.zero_()
    population = Population(network)
    folded = fold_batch_norm(population, torch.ones(1, 5))
    torch.testing.assert_close(folded(-torch.ones(3, 5)), population(-torch.ones(3, 5)))


def test_folded_weights_are_those_of_pytorchs_own_fusion() -> None:
    conv: Any = stirred(NETWORKS["conv"][0]())
    dense: Any = stirred(NETWORKS["linear"][0]())
    fused = fuse_conv_bn_eval(conv[0], conv[1]).weight
    ours = weight_matrices(fold_batch_norm(Population(conv), torch.zeros(1, 2, 5, 5)))["0.weight"][0]
    torch.testing.assert_close(ours, fused.flatten(1))
    fused = fuse_linear_bn_eval(dense[0], dense[1]).weight
    ours = weight_matrices(fold_batch_norm(Population(dense), torch.zeros(1, 5)))["0.weight"][0]
    torch.testing.assert_close(ours, fused)


def test_nothing_to_fold_gives_the_population_itself() -> None:
    population = Population(cases.mlp().network)
    assert fold_batch_norm(population, cases.mlp().train[0][:1]) is population


def test_the_residual_case_folds_one_of_two() -> None:
    case = cases.residual()
    folded = fold_batch_norm(Population(case.network), case.train[0][:1])
    assert norms_in(folded) == 1
    assert isinstance(case.network.get_submodule("first.1"), nn.BatchNorm1d)


def test_parameters_stay_in_the_order_of_the_module() -> None:
    case = cases.cnn()
    folded = fold_batch_norm(Population(case.network), case.train[0][:1])
    assert list(folded.parameters) == [name for name, _ in folded.template.named_parameters()]
    assert list(weight_matrices(folded)) == ["0.weight", "3.weight", "8.weight"]


def test_a_layer_that_stands_under_two_names_is_measured_like_any_other() -> None:
    torch.manual_seed(0)
    shared = nn.Linear(5, 5)
    network = nn.Sequential(shared, nn.ReLU(), shared, nn.ReLU(), nn.Linear(5, 3)).eval()
    x = torch.randn(6, 5)
    before = network(x)
    folded = fold_batch_norm(Population(network), x)
    torch.testing.assert_close(folded(x)[0], before)
