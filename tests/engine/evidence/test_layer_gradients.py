"""Every rule against gradients that were really formed, one example at a time in float64; and where there is no rule."""

import pytest
import torch
from tests.oracles import gradients as oracle
from torch import nn

from heldout.engine.evidence.layer_gradients import LayerGradients
from heldout.engine.evidence.resolving import Evidence
from heldout.engine.population import Population
from heldout.engine.subject import Subject
from heldout.engine.subject.losses import NAMED


class Mean(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.mean(1)


def warmed(*layers: nn.Module) -> nn.Module:
    """Normalisations with scales, shifts and statistics of their own."""
    network = nn.Sequential(*layers)
    for module in network.modules():
        if hasattr(module, "running_mean") or isinstance(module, nn.LayerNorm):
            nn.init.normal_(module.weight, 1.0, 0.3)
            if module.bias is not None:
                nn.init.normal_(module.bias, 0.0, 0.3)
        if hasattr(module, "running_mean"):
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2.0)
    return network.eval()


torch.manual_seed(0)
IMAGES, VECTORS, SEQUENCES = torch.randn(6, 2, 7, 5), torch.randn(6, 5), torch.randn(6, 4, 5)
COVERED = {
    "dense": (warmed(nn.Linear(5, 4), nn.Tanh(), nn.Linear(4, 3, bias=False)), VECTORS),
    "short sequences": (warmed(nn.Linear(5, 9), nn.Tanh(), nn.Linear(9, 3), Mean()), SEQUENCES),
    "long sequences": (warmed(nn.Linear(5, 2), nn.Tanh(), nn.Linear(2, 3), Mean()), SEQUENCES.repeat(1, 5, 1)),
    "convolution": (
        warmed(nn.Conv2d(2, 3, (3, 2), stride=(2, 1), padding=(1, 0), dilation=(1, 2)), nn.Flatten(), nn.Linear(36, 3)),
        IMAGES,
    ),
    "batch norm of maps": (
        warmed(nn.Conv2d(2, 3, 3, bias=False), nn.BatchNorm2d(3), nn.Flatten(), nn.Linear(45, 3)),
        IMAGES,
    ),
    "batch norm of vectors": (warmed(nn.Linear(5, 4), nn.BatchNorm1d(4), nn.Linear(4, 3)), VECTORS),
    "layer norm": (warmed(nn.Linear(5, 4), nn.LayerNorm(4), nn.Tanh(), nn.Linear(4, 3), Mean()), SEQUENCES),
    "layer norm without shift": (warmed(nn.LayerNorm(5, bias=False), nn.Linear(5, 3)), VECTORS),
}
shared = nn.Linear(5, 5)
tied = nn.Sequential(nn.Linear(5, 5), nn.Linear(5, 5), nn.Linear(5, 3))
tied[1].weight = tied[0].weight
FORMED = {
    "grouped convolution": (warmed(nn.Conv2d(2, 4, 3, groups=2), nn.Flatten(), nn.Linear(60, 3)), IMAGES),
    "circular convolution": (
        warmed(nn.Conv2d(2, 2, 3, padding=1, padding_mode="circular"), nn.Flatten(), nn.Linear(70, 3)),
        IMAGES,
    ),
    "layer called twice": (nn.Sequential(shared, nn.Tanh(), shared, nn.Linear(5, 3)).eval(), VECTORS),
    "tied weights": (tied.eval(), VECTORS),
    "embedding": (nn.Sequential(nn.Embedding(9, 4), Mean(), nn.Linear(4, 3)).eval(), torch.randint(9, (6, 4))),
}
LABELS = torch.tensor([0, 1, 2, 0, 1, 2])


@pytest.mark.parametrize("name", [*COVERED, *FORMED])
def test_norms_and_means_are_those_of_formed_gradients(name: str) -> None:
    network, x = {**COVERED, **FORMED}[name]
    expected = oracle.per_example(network, x, LABELS, "cross-entropy")
    flat = oracle.flat(expected)
    moments = Evidence(Subject(network, (x, LABELS)))["gradient_moments"]
    torch.testing.assert_close(moments.norms[0], flat.norm(dim=1), rtol=1e-5, atol=1e-7)
    for key, gradient in expected.items():
        torch.testing.assert_close(moments.mean[key][0], gradient.mean(0), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", [*COVERED, *FORMED])
def test_rules_are_used_exactly_where_they_hold(name: str) -> None:
    network, x = {**COVERED, **FORMED}[name]
    assert LayerGradients(Population(network), NAMED["cross-entropy"], x[:1]).possible is (name in COVERED)


def test_hooks_are_taken_off_again() -> None:
    network, x = COVERED["dense"]
    population = Population(network)
    LayerGradients(population, NAMED["cross-entropy"], x[:1])
    assert not any(module._forward_hooks for module in population.template.modules())
