"""Both measures against their numerics with evidence made by hand, and their settings."""

import math

import pytest
import torch

from heldout.engine.evidence.class_separation import ClassSeparation
from heldout.engine.evidence.kernel_posteriors import KernelPosterior
from heldout.engine.evidence.neighbours import Neighbours, around
from heldout.engine.numerics.band_limited import log_band_limited_bits
from heldout.measures.task_difficulty import band_limited_difficulty, kernel_inductive_bias
from heldout.representation.intrinsic_dimension import data_dimension_mle


def cloud() -> Neighbours:
    found = around(torch.randn(1, 300, 3, generator=torch.Generator().manual_seed(0)))
    return Neighbours(found.distances[0], found.cells[0])


@pytest.mark.parametrize("error", [0.1, 0.003])
def test_bits_of_the_data_s_own_dimension(error: float) -> None:
    near = cloud()
    apart = ClassSeparation(torch.tensor(0.1), torch.tensor(3.0), 300, 5)
    found, dimension = band_limited_difficulty(apart, near, error=error), data_dimension_mle(near)

    def at(m: torch.Tensor) -> float:
        nats = log_band_limited_bits(m, apart.radius, apart.distance, examples=300, classes=5, error=error)
        return nats.item() / math.log(10)

    assert found.value.item() == pytest.approx(at(dimension.value))
    up, down = at(dimension.value + dimension.standard_error), at(dimension.value - dimension.standard_error)
    assert found.standard_error.item() == pytest.approx((up - down) / 2)


def test_classes_that_touch_have_no_number() -> None:
    apart = ClassSeparation(torch.tensor(0.0), torch.tensor(3.0), 300, 5)
    assert band_limited_difficulty(apart, cloud()).value.isnan()


def test_a_network_that_does_better_shows_more_bias_and_a_target_is_the_same_for_all() -> None:
    form = KernelPosterior(torch.full((2, 6), 0.1), torch.full((2, 6), 0.2), torch.tensor([0.5, 0.05]), outputs=2)
    worse, better = kernel_inductive_bias(form).value.tolist()
    assert better > worse > 0
    assert kernel_inductive_bias(form, target=0.05).value.tolist() == pytest.approx([better] * 2, rel=1e-6)


def test_an_exact_network_and_a_kernel_that_cannot_have_no_number() -> None:
    form = KernelPosterior(torch.zeros(2, 3), torch.full((2, 3), 0.2), torch.tensor([0.0, 0.5]), outputs=1)
    assert kernel_inductive_bias(form).value.isnan().all()
