"""Recorded calls: the same numbers, and never a recording that would give others."""

import pytest
import torch
from tests import cases

from heldout.engine.sampling.field import NetworkField
from heldout.engine.sampling.tracing import FILLED, Repeated


@pytest.mark.parametrize("case", ["mlp", "cnn", "transformer"])
def test_gradients_of_networks_are_the_same_when_replayed(case: str) -> None:
    make = getattr(cases, case)
    subject = cases.together([make(seed=0), make(seed=1)])
    field = NetworkField(subject.population, subject.train, subject.loss, tuple(subject.population.parameters))
    members = torch.tensor([0, 1, 1])
    field._slopes[True, True].calls = 2
    found = []
    for _ in range(4):
        generator = torch.Generator().manual_seed(0)
        position = field.centres[members] + 0.02 * torch.randn(3, field.size, generator=generator)
        found.append(field.gradient(position, members, torch.tensor([[0, 5, 7], [1, 2, 3], [9, 8, 4]])))
    assert field._slopes[True, True].recordings == 1
    for losses, slope in found[1:]:
        assert torch.allclose(losses, found[0][0], rtol=1e-5, atol=1e-6)
        assert torch.allclose(slope, found[0][1], rtol=1e-4, atol=1e-6)


def test_other_shapes_are_recorded_for_themselves() -> None:
    double = Repeated(lambda x: 2 * x, calls=2)
    for size in (2, 3, 2, 3, 2):
        assert double(torch.ones(size)).tolist() == [2.0] * size
    assert double.recordings == 2


def test_what_hangs_on_values_is_not_recorded() -> None:
    branching = Repeated(lambda x: x if float(x.sum()) > 0 else -x, calls=1)
    for sign in (1.0, -1.0, 1.0):
        assert branching(sign * torch.ones(2)).tolist() == [1.0, 1.0]
    assert branching.recordings == 0


def test_a_recording_that_differs_is_not_used() -> None:
    calls = []

    def drifting(x: torch.Tensor) -> torch.Tensor:
        calls.append(0)
        return x + len(calls)

    repeated = Repeated(drifting, calls=1)
    assert [repeated(torch.zeros(1)).item() for _ in range(3)] == [1.0, 3.0, 4.0]  # the second call was to record
    assert repeated.recordings == 0


def test_a_bias_added_to_a_product_is_one_operation_and_the_same_number() -> None:
    generator = torch.Generator().manual_seed(0)
    a, b, c = (torch.randn(2, *shape, generator=generator) for shape in ((3, 4), (4, 5), (1, 5)))
    layer = Repeated(lambda a, b, c: c + torch.bmm(a.expand(2, 3, 4), b), calls=1)
    first, again = layer(a, b, c), layer(a, b, c)
    assert torch.allclose(first, again, atol=1e-6)
    (recording,) = layer._recorded.values()
    assert recording is not None
    assert [node.target for node in recording.graph.graph.nodes if node.op == "call_function"] == [
        torch.ops.aten.baddbmm.default
    ]


def test_what_depends_on_no_argument_is_computed_once() -> None:
    slope = Repeated(torch.func.grad(lambda x: x.square().mean()), calls=1)
    points = [torch.tensor([1.0, -2.0]), torch.tensor([3.0, 4.0])]
    assert [slope(x).tolist() for x in (*points, points[0])] == [[1.0, -2.0], [3.0, 4.0], [1.0, -2.0]]
    (recording,) = slope._recorded.values()
    assert recording is not None
    assert not any(node.target in FILLED for node in recording.graph.graph.nodes)


def test_a_constant_that_is_returned_or_written_to_is_made_anew() -> None:
    def written(x: torch.Tensor) -> torch.Tensor:
        return torch.zeros_like(x).add_(x)

    for function in (torch.zeros_like, written):
        repeated = Repeated(function, calls=1)
        for _ in range(3):
            found = repeated(torch.ones(2))
            assert found.tolist() == function(torch.ones(2)).tolist()
            found.add_(1.0)
        assert repeated.recordings == 1


def test_what_is_drawn_is_drawn_every_time() -> None:
    noisy = Repeated(lambda x: x * 0 + torch.rand(3), calls=1)
    noisy.function(torch.ones(3))
    assert noisy.recordings == 0
    drawn = [noisy(torch.ones(3)) for _ in range(4)]
    assert not torch.equal(drawn[2], drawn[3])
