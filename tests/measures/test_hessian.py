"""Hessian readings as a user gets them: against closed forms, and what rescaled layers do to the plain and not to the adaptive."""

import numpy as np
import pytest
import torch
from tests.oracles import curvature as oracle
from tests.test_invariances import assert_unmoved
from torch import nn

from heldout import Subject, audit
from heldout.catalog import find


def logistic() -> tuple[Subject, np.ndarray]:
    rng = np.random.default_rng(5)
    x, y = rng.normal(size=(80, 4)), rng.integers(0, 2, 80)
    layer = nn.Linear(4, 1).double()
    layer.weight.data, layer.bias.data = torch.tensor([[1.0, -2.0, 0.5, 0.0]]).double(), torch.tensor([0.3]).double()
    scores = x @ np.array([1.0, -2.0, 0.5, 0.0]) + 0.3
    subject = Subject(layer, (torch.tensor(x), torch.tensor(y)), loss="binary-cross-entropy")
    return subject, oracle.of_logistic_regression(x, scores)


def test_a_logistic_regression_through_the_audit() -> None:
    subject, matrix = logistic()
    w = np.array([1.0, 2.0, 0.5, 0.0, 0.3])
    adaptive = w[:, None] * matrix * w
    names = ["hessian-trace", "hessian-top-eigenvalue", "adaptive-hessian-trace", "adaptive-hessian-top-eigenvalue"]
    readings = audit(subject, only=names, progress=False).readings
    for name, dense in zip(names, (matrix, matrix, adaptive, adaptive), strict=True):
        reading, eigenvalues = readings[name], np.linalg.eigvalsh(dense)
        if "trace" in name:
            slack = 6 * reading.standard_error.item() + 1e-9
            assert reading.value.item() == pytest.approx(eigenvalues.sum(), abs=slack)
            assert slack < 0.1 * eigenvalues.sum()
        else:
            assert reading.value.item() == pytest.approx(eigenvalues[-1], rel=1e-5)
            assert reading.low.item() == reading.value.item() <= reading.high.item() <= 1.001 * reading.value.item()


def test_dear_readings_are_left_to_a_thorough_audit() -> None:
    from heldout.verbs.audit import chosen

    assert "hessian-trace" not in chosen(())[0]
    assert "hessian-trace" in chosen((), thorough=True)[0]


@pytest.mark.parametrize("name", ["hessian-trace", "hessian-top-eigenvalue"])
def test_the_plain_ones_move_when_layers_are_rescaled(name: str) -> None:
    with pytest.raises(AssertionError, match="under layer-rescaling"):
        assert_unmoved(find(name), "layer-rescaling", 0)
