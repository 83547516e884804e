"""The bottleneck: which parameters come before a layer, and the least sum over layers and noises."""

import math

import numpy as np
import pytest

from heldout.bounds.information_bottleneck import encoder_information, information_bottleneck
from heldout.engine.evidence.layer_laws import LayerInformation
from heldout.engine.evidence.scattering import Scattered

APART = np.array([[[[0.0, 2.0], [2.0, 0.0]], [[0.0, 4.0], [4.0, 0.0]], [[0.0, 8.0], [8.0, 0.0]]]])  # variances 1, 2, 4


def scattered(noises: list[float], seen: list[float]) -> Scattered:
    losses = np.repeat(np.array(seen)[None, :, None], 2, 2)
    return Scattered(
        ("0.weight", "0.bias", "20.weight"), np.array([2.0, 1.0, 4.0]), APART, np.zeros((1, 3, 2, 1)), np.array([noises]),
        losses, losses + 0.05, 40,
    )  # fmt: skip


def test_the_encoder_is_what_comes_before() -> None:
    found = encoder_information(scattered([1.0, 2.0], [0.0, 0.0]), ("20", "2", "output"))
    first = math.log(1 + 1 / 2) + math.log(1 + 2) / 2
    assert found[0, 0, 0] == pytest.approx(first)
    assert found[0, 2, 0] == pytest.approx(first + 2 * math.log(2))
    assert found[0, 1, 0] == found[0, 2, 0]  # "2" is no prefix of "20": nothing begins with "2."
    assert (found[:, :, 1] < found[:, :, 0]).all()


def test_the_least_sum_is_found() -> None:
    one = scattered([1.0, 4.0], [0.1, 0.12])
    row = np.array([[0.0, 3.0, 0.4]])
    kept = LayerInformation(("input", "20", "output"), row, row, row, np.ones(1))
    said = information_bottleneck(kept, one, log_delta=-3.0)
    each = {
        (layer, size): [0.1, 0.12][size]
        + math.sqrt(
            (kept.lower[0, layer] + encoder_information(one, kept.layers[1:])[0, layer - 1, size]) / 40
        )
        for layer in (1, 2) for size in (0, 1)
    }  # fmt: skip
    layer, size = min(each, key=lambda key: each[key])
    assert said.value == pytest.approx([each[layer, size]])
    assert said.terms["layer"] == layer
    assert said.terms["noise"] == one.noises[0, size]
    assert said.empirical_risk == pytest.approx([[0.1, 0.12][size]])
    assert said.terms["gap that was seen"] == pytest.approx([0.05])
    assert said.steps == ()
