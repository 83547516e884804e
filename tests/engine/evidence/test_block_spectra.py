"""Spectra of blocks against NumPy's decomposition of the matrices they stand for."""

import numpy as np
import pytest
import torch
from tests import cases
from tests.oracles import norms as oracle
from torch import nn

from heldout.engine.evidence.resolving import Evidence
from heldout.engine.subject import Subject


def singular(matrix: torch.Tensor) -> np.ndarray:
    return np.linalg.svd(matrix.detach().double().numpy(), compute_uv=False)


def evidence_of(*networks: nn.Module, x: torch.Tensor) -> Evidence:
    return Evidence(Subject(list(networks), train=(x, torch.arange(len(x)) % 2)))


def test_whole_layers_are_not_decomposed_twice() -> None:
    evidence = Evidence(cases.mlp().subject())
    assert all(evidence["block_spectra"][name] is values for name, values in evidence["spectra"].items())


@pytest.mark.parametrize("groups", [1, 3])
def test_convolutions_by_group_and_by_position(groups: int) -> None:
    networks = [nn.Sequential(nn.Conv2d(6, 9, 3, groups=groups), nn.Flatten(), nn.Linear(9, 2)) for _ in range(2)]
    evidence = evidence_of(*networks, x=torch.randn(4, 6, 3, 3))
    for member, network in enumerate(networks):
        weight = network[0].weight
        parts = weight.chunk(groups, 0)
        whole = np.sort(np.concatenate([singular(part.flatten(1)) for part in parts]))[::-1]
        np.testing.assert_allclose(evidence["block_spectra"]["0.weight"][member], whole, rtol=1e-5)
        at = [singular(part[:, :, a, b]) for part in parts for a in range(3) for b in range(3)]
        np.testing.assert_allclose(
            evidence["position_spectra"]["0.weight"][member], np.sort(np.concatenate(at))[::-1], rtol=1e-5, atol=1e-7
        )
    assert list(evidence["position_spectra"]) == ["0.weight"]


class Adapted(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.base = nn.Linear(20, 30)
        self.lora_A, self.lora_B = nn.Linear(20, 4, bias=False), nn.Linear(4, 30, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.base(x) + self.lora_B(self.lora_A(x))


def test_a_low_rank_update_has_the_spectrum_of_its_product() -> None:
    networks = [Adapted(), Adapted()]
    evidence = evidence_of(*networks, x=torch.randn(4, 20))
    name = "lora_A.weight[B A]"
    for member, network in enumerate(networks):
        product = network.lora_B.weight.double() @ network.lora_A.weight.double()
        np.testing.assert_allclose(evidence["block_spectra"][name][member], singular(product)[:4], rtol=1e-9)
    # a product of Gaussian factors of these variances has E |B A|^2 = 30 * 4 * 20 s_B^2 s_A^2; one draw is within a factor 2
    factors = [
        network.lora_B.weight.var(unbiased=False) * network.lora_A.weight.var(unbiased=False) for network in networks
    ]
    square = evidence["block_spectra_at_random"][name].square().sum(1)
    np.testing.assert_allclose(square / torch.stack(factors).detach() / 2400, 1, atol=0.5)


def test_heads_of_attention() -> None:
    case = cases.transformer()
    evidence = Evidence(case.subject())
    key = case.network.get_parameter("body.self_attn.in_proj_weight")[8:16]
    found = evidence["head_spectra"]["body.self_attn.in_proj_weight[key]"]
    for values, rows in zip(found, key.chunk(2), strict=True):
        np.testing.assert_allclose(values[0], singular(rows), rtol=1e-5)
    assert len(evidence["head_spectra"]) == 3


def test_gates_have_spectra_of_their_own() -> None:
    case = cases.lstm()
    found = Evidence(case.subject())["block_spectra"]
    weight = case.network.get_parameter("body.weight_hh_l0")
    np.testing.assert_allclose(found["body.weight_hh_l0[cell]"][0], singular(weight[16:24]), rtol=1e-5)


def test_a_group_that_is_drawn_at_random_is_drawn_alone() -> None:
    network = nn.Sequential(nn.Conv1d(40, 40, 1, groups=2), nn.Flatten(), nn.Linear(40, 2))
    evidence = evidence_of(network, x=torch.randn(4, 40, 1))
    reference, spread = evidence["block_spectra_at_random"]["0.weight"][0], network[0].weight.std().item()
    assert reference.shape == (40,)
    # a square Gaussian matrix of side 20 has largest singular values near 2 sqrt(20); one of side 40 near 2 sqrt(40)
    assert 1.6 * 20**0.5 < reference[0].item() / spread < 2.4 * 20**0.5


def test_floors_of_the_rank() -> None:
    floors = Evidence(cases.mlp().subject())["rank_floors"]
    assert floors["0.weight"] == pytest.approx(16 * 2.0**-23)


def test_random_spectra_scale_with_the_member_and_follow_the_seed() -> None:
    members = [cases.mlp(seed=seed) for seed in (0, 1)]
    evidence, other = (Evidence(cases.together(members), seed=seed) for seed in (0, 1))
    alone = Evidence(members[1].subject())
    for layer, values in evidence["block_spectra_at_random"].items():
        spreads = [oracle.weight_matrices(case.network)[layer].std() for case in members]
        np.testing.assert_allclose(values[0] / spreads[0], values[1] / spreads[1], rtol=1e-6)
        np.testing.assert_allclose(alone["block_spectra_at_random"][layer][0], values[1], rtol=1e-12)
        assert not torch.allclose(values, other["block_spectra_at_random"][layer])
