"""Weights as matrices, batch norms folded; at initialisation with their own statistics."""

import pytest
import torch
from tests import cases
from tests.subjects import evidence
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from heldout.engine.evidence.resolving import Evidence
from heldout.engine.subject import Subject
from heldout.records import NotApplicable


def test_dense_layers_as_they_are() -> None:
    weights = evidence("mlp")["weights"]
    assert list(weights) == ["0.weight", "2.weight", "4.weight"]
    for member in (0, 1, 2):
        own = dict(cases.mlp(seed=member).network.named_parameters())
        for name, weight in weights.items():
            assert torch.equal(weight[member], own[name])


@pytest.mark.parametrize("name", ["weights", "weights_at_init"])
def test_convolutions_are_folded_and_flattened(name: str) -> None:
    weights = evidence("cnn")[name]
    case = cases.cnn(seed=1)
    network = case.network if name == "weights" else case.initial
    assert isinstance(network, nn.Sequential)
    for layer, norm in ((0, 1), (3, 4)):
        conv, follows = network[layer], network[norm]
        assert isinstance(conv, nn.Conv2d)
        assert isinstance(follows, nn.BatchNorm2d)
        fused = fuse_conv_bn_eval(conv, follows)
        torch.testing.assert_close(weights[f"{layer}.weight"][1], fused.weight.flatten(1))
    assert weights["8.weight"].shape == (3, 3, 32)


def test_a_tied_weight_stands_once() -> None:
    weights = Evidence(cases.tied().subject())["weights"]
    assert list(weights) == ["first.weight", "head.weight"]


def test_embeddings_positions_attention_and_recurrent_weights_are_layers_too() -> None:
    shapes = {name: tuple(weight.shape[1:]) for name, weight in evidence("token_transformer")["weights"].items()}
    assert shapes["embedding.weight"] == (11, 8)
    assert shapes["position"] == (6, 8)
    assert shapes["body.self_attn.in_proj_weight"] == (24, 8)
    recurrent = Evidence(cases.lstm().subject())["weights"]
    assert recurrent["body.weight_hh_l0"].shape == (1, 32, 8)


def test_transposed_convolutions_are_turned() -> None:
    network = nn.Sequential(nn.ConvTranspose2d(2, 5, 3), nn.Flatten(), nn.Linear(5 * 16, 3))
    weights = Evidence(Subject(network.eval(), train=(torch.randn(6, 2, 2, 2), torch.arange(6) % 3)))["weights"]
    assert weights["0.weight"].shape == (1, 5, 2 * 9)
    kernel = network.get_parameter("0.weight").detach()
    torch.testing.assert_close(weights["0.weight"][0, 4], kernel[:, 4].flatten())


def test_the_count_is_that_of_the_network_as_it_was_trained() -> None:
    for name in ("mlp", "cnn", "tied"):
        case = cases.ALL[name]()
        assert Evidence(case.subject())["parameter_count"] == sum(p.numel() for p in case.network.parameters())


def test_weights_at_initialisation_need_the_initial_network() -> None:
    case = cases.mlp()
    with pytest.raises(NotApplicable, match="pass initial="):
        Evidence(Subject(case.network, train=case.train))["weights_at_init"]
