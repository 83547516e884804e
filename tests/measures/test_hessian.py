"""Hessian readings as a user gets them: against closed forms, and what rescaled layers do to the plain and not to the adaptive."""

import copy

import numpy as np
import pytest
import torch
from tests import cases
from tests.oracles import curvature as oracle
from tests.test_invariances import assert_unmoved
from torch import nn

from heldout import Subject, audit
from heldout.catalog import find
from heldout.engine.evidence.reading_units import read_measure
from heldout.engine.evidence.resolving import Evidence


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


NAMES = ("hessian-trace", "adaptive-hessian-trace", "ggn-trace", "adaptive-ggn-trace")


@pytest.mark.parametrize("name", NAMES)
def test_a_trace_alone_is_that_in_a_population_to_three_digits_of_its_error(name: str) -> None:
    members = [cases.mlp(seed=seed) for seed in range(2)]
    together = read_measure(find(name), Evidence(cases.together(members)))
    for index, case in enumerate(members):
        for source in (case.subject(), case.subject(memory=20_000)):
            alone = read_measure(find(name), Evidence(source))
            assert alone.value[0] == pytest.approx(together.value[index], rel=1e-5)
            assert alone.standard_error[0] == pytest.approx(together.standard_error[index], rel=1e-3)


@pytest.mark.parametrize("name", NAMES)
def test_in_float64_to_six_digits(name: str) -> None:
    networks = [copy.deepcopy(cases.mlp(seed=seed).network).double() for seed in range(2)]
    x, y = cases.mlp().train
    together = read_measure(find(name), Evidence(Subject(networks, (x.double(), y))))
    alone = read_measure(find(name), Evidence(Subject(networks[1], (x.double(), y))))
    for column in ("value", "standard_error"):
        assert getattr(alone, column)[0] == pytest.approx(getattr(together, column)[1], rel=1e-6)
    if name.startswith("adaptive"):  # and layers may be rescaled
        rescaled = copy.deepcopy(networks[1])
        rescaled[0].weight.data.mul_(3), rescaled[0].bias.data.mul_(3), rescaled[2].weight.data.div_(3)
        twin = read_measure(find(name), Evidence(Subject(rescaled, (x.double(), y))))
        for column in ("value", "standard_error"):
            assert getattr(twin, column)[0] == pytest.approx(getattr(alone, column)[0], rel=1e-6)
