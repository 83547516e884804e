"""Worst-case sharpness as a reading: closed form on a linear regression, and what moves it."""

import numpy as np
import pytest
import torch
from tests.test_invariances import assert_unmoved
from torch import nn

from heldout.catalog import find
from heldout.engine.evidence.reading_units import read_measure
from heldout.engine.evidence.resolving import Evidence
from heldout.engine.subject import Subject
from heldout.records import Status


def regression() -> tuple[Subject, np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    x, t, w = rng.normal(size=(60, 3)), rng.normal(size=60), np.array([1.0, -2.0, 0.5])
    layer = nn.Linear(3, 1, bias=False).double()
    layer.weight.data = torch.tensor(w[None])
    subject = Subject(layer, (torch.tensor(x), torch.tensor(t)), loss="squared-error")
    return subject, w, 2 * x.T @ (x @ w - t) / 60, 2 * x.T @ x / 60


@pytest.mark.parametrize(
    ("name", "radius", "adaptive"),
    [("worst-sharpness-linf", 0.002, False), ("adaptive-worst-sharpness-linf", 0.01, True)],
)
def test_a_convex_quadratic_is_highest_in_a_corner(name: str, radius: float, adaptive: bool) -> None:
    subject, w, gradient, hessian = regression()
    c = np.abs(w) if adaptive else np.ones(3)
    corners = radius * c * np.array(np.meshgrid(*[[-1, 1]] * 3)).reshape(3, -1).T
    expected = max(gradient @ d + d @ hessian @ d / 2 for d in corners)
    assert read_measure(find(name), Evidence(subject)).value.item() == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    ("name", "radius", "adaptive"), [("worst-sharpness-l2", 0.05, False), ("adaptive-worst-sharpness-l2", 0.5, True)]
)
def test_a_convex_quadratic_is_highest_on_the_sphere(name: str, radius: float, adaptive: bool) -> None:
    subject, w, gradient, hessian = regression()
    c = np.abs(w) if adaptive else np.ones(3)
    u = np.random.default_rng(0).normal(size=(200_000, 3))
    d = radius * c * u / np.linalg.norm(u, axis=1, keepdims=True)
    expected = (d @ gradient + (d @ hessian * d).sum(1) / 2).max()
    reading = read_measure(find(name), Evidence(subject))
    assert reading.value.item() == pytest.approx(expected, rel=2e-3)
    assert reading.value.item() > 0.999 * expected


def test_normalised_logits_need_several() -> None:
    reading = read_measure(find("normalised-worst-sharpness-linf"), Evidence(regression()[0]))
    assert reading.statuses == (Status.NOT_APPLICABLE,)


@pytest.mark.parametrize(
    ("name", "change"),
    [("worst-sharpness-l2", "layer-rescaling"), ("worst-sharpness-linf", "layer-rescaling"),
     ("adaptive-worst-sharpness-l2", "logit-scale"), ("adaptive-worst-sharpness-linf", "logit-scale")],
)  # fmt: skip
def test_what_each_of_them_cannot_stand(name: str, change: str) -> None:
    with pytest.raises(AssertionError, match="under"):
        assert_unmoved(find(name), change, 0)
