"""Noise stability against loops with autograd's Jacobians, rescaling, members, and what it refuses."""

import copy
import math

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from heldout.engine.evidence import noise_stability as room
from heldout.engine.evidence.noise_stability import NoiseStability
from heldout.engine.evidence.resolving import Evidence
from heldout.engine.population import stream
from heldout.engine.subject import Subject
from heldout.records import NotApplicable

X = torch.randn(40, 4, generator=torch.Generator().manual_seed(1))


def network(*, bias: bool, seed: int = 0) -> nn.Sequential:
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Linear(4, 7, bias=bias), nn.ReLU(), nn.Linear(7, 6, bias=bias), nn.ReLU(), nn.Linear(6, 3, bias=bias)
    )


def measured(*networks: nn.Module, seed: int = 0) -> NoiseStability:
    one = Evidence(Subject(list(networks), (X, torch.arange(40) % 3)), seed=seed)
    found: NoiseStability = one["noise_stability"]
    return found


def by_loops(one: nn.Sequential, *, bias: bool) -> NoiseStability:
    layers = [layer for layer in one if isinstance(layer, nn.Linear)]
    matrices: list[Tensor] = []
    for place, layer in enumerate(layers):
        a = layer.weight.detach().double()
        if bias:
            a = torch.cat([a, layer.bias.detach().double()[:, None]], 1)
            if place < 2:
                row = torch.zeros(1, a.shape[1], dtype=torch.float64)
                row[0, -1] = 1
                a = torch.cat([a, row])
        matrices.append(a)
    inputs = X.double() if not bias else torch.cat([X.double(), torch.ones(40, 1, dtype=torch.float64)], 1)

    def onward(z: Tensor, i: int, j: int) -> Tensor:
        for k in range(i + 1, j + 1):
            z = z.relu() @ matrices[k].T
        return z

    cushion, inter, c, rho, top = [math.inf] * 3, [1 / math.sqrt(len(a)) for a in matrices], 1.0, math.inf, 0.0
    noises = [
        torch.randn(4, 1, 40, len(a), dtype=torch.float64, generator=stream(0, "interlayer noise", i))[:, 0]
        for i, a in enumerate(matrices[:-1])
    ]
    for number, x in enumerate(inputs):
        h, z = x, []
        for i, a in enumerate(matrices):
            z.append(a @ h)
            cushion[i] = min(cushion[i], float(z[i].norm() / (a.norm() * h.norm())))
            h = z[i].relu()
            if i < 2:
                c = max(c, float(z[i].norm() / h.norm()))
        top = max(top, float(z[-1].norm()))
        for i in range(2):
            for j in range(i + 1, 3):
                jacobian = torch.autograd.functional.jacobian(lambda v, i=i, j=j: onward(v, i, j), z[i])
                assert torch.allclose(jacobian @ z[i], z[j])
                inter[i] = min(inter[i], float(z[j].norm() / (jacobian.norm() * z[i].norm())))
                for drawn in noises[i][:, number].clone():
                    noise = drawn
                    if bias:
                        noise[-1] = 0
                    noise = noise * 0.1 * z[i].norm() / noise.norm()
                    beyond = (onward(z[i] + noise, i, j) - jacobian @ (z[i] + noise)).norm()
                    if beyond > 1e-12:
                        rho = min(rho, float(0.1 * z[j].norm() / beyond))
    return NoiseStability(*(np.array([v]) for v in (cushion, inter, c, rho, top)), examples=40)


@pytest.mark.parametrize("bias", [True, False])
def test_against_loops(bias: bool) -> None:
    one = network(bias=bias)
    ours, theirs = measured(one), by_loops(one, bias=bias)
    for name in ("layer_cushions", "interlayer_cushions", "contraction", "smoothness", "largest_output"):
        np.testing.assert_allclose(getattr(ours, name), getattr(theirs, name), rtol=1e-6, err_msg=name)
    assert ours.examples == 40


def test_rescaling_layers_without_biases_changes_outputs_alone() -> None:
    one = network(bias=False)
    other = copy.deepcopy(one)
    with torch.no_grad():
        other[0].weight.mul_(8)
        other[2].weight.div_(4)
    first, second = measured(one), measured(other)
    for name in ("layer_cushions", "interlayer_cushions", "contraction", "smoothness"):
        np.testing.assert_allclose(getattr(first, name), getattr(second, name), rtol=1e-5)
    np.testing.assert_allclose(2 * first.largest_output, second.largest_output, rtol=1e-5)


def test_members_and_pieces_of_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    both = measured(network(bias=True), network(bias=True, seed=1))
    monkeypatch.setattr(room, "ENTRIES", 1)
    alone = measured(network(bias=True, seed=1))
    np.testing.assert_allclose(both.interlayer_cushions[1], alone.interlayer_cushions[0])
    np.testing.assert_allclose(both.smoothness[1], alone.smoothness[0])


def test_a_layer_of_rank_one_is_all_cushion_and_one_layer_has_no_later_one() -> None:
    line = nn.Sequential(nn.Linear(4, 2, bias=False))
    with torch.no_grad():
        line[0].weight.copy_(torch.tensor([[1.0, 0, 0, 0], [-1.0, 0, 0, 0]]))
    x = torch.zeros(40, 4)
    x[:, 0] = torch.linspace(1, 2, 40)
    found: NoiseStability = Evidence(Subject(line, (x, torch.arange(40) % 2)))["noise_stability"]
    assert found.layer_cushions[0, 0] == pytest.approx(1)
    assert found.interlayer_cushions[0, 0] == pytest.approx(2**-0.5)
    assert found.smoothness[0] == math.inf
    assert found.contraction[0] == 1


def test_fewer_examples_where_jacobians_are_dear_and_none_where_too_dear(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        room, "OPERATIONS", 20 * 2.0 * (7 * 7 * 8 + 3 * 7 * 8 + 3 * 3 * 7)
    )  # widths 8, 7, 3 with the one
    assert measured(network(bias=True)).examples == 20
    monkeypatch.setattr(room, "OPERATIONS", 100.0)
    with pytest.raises(NotApplicable, match="operations an example"):
        measured(network(bias=True))


def test_leaky_breaks_are_refused() -> None:
    leaky = nn.Sequential(nn.Linear(4, 7), nn.LeakyReLU(), nn.Linear(7, 3))
    with pytest.raises(NotApplicable, match="LeakyReLU"):
        measured(leaky)
