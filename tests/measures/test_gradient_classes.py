"""Stiffness, confusion and signal to noise against loops over pairs of examples, and in closed form."""

import itertools

import numpy as np
import pytest
import torch
from tests import cases
from tests.oracles import gradients as oracle
from torch import Tensor, nn

from heldout.catalog import find
from heldout.engine.evidence.reading_units import read_measure
from heldout.engine.evidence.resolving import Evidence
from heldout.engine.subject import Subject
from heldout.measures.gradient_classes import (
    gradient_confusion,
    gradient_signal_to_noise,
    stiffness_between,
    stiffness_within,
)
from heldout.records import Status

NAMES = ("stiffness-within", "stiffness-between", "gradient-confusion", "gradient-signal-to-noise")


def by_pairs(gradients: np.ndarray, labels: list[int]) -> dict[str, float]:
    """Fort et al. 2020 and Sankararaman et al. 2020, one pair at a time; Liu et al. 2020, one parameter at a time."""
    classes = sorted(set(labels))
    cosines: dict[tuple[int, int], list[float]] = {pair: [] for pair in itertools.product(classes, classes)}
    for i, j in itertools.permutations(range(len(labels)), 2):
        product = gradients[i] @ gradients[j] / np.linalg.norm(gradients[i]) / np.linalg.norm(gradients[j])
        cosines[labels[i], labels[j]].append(product)
    means = {c: gradients[np.array(labels) == c].mean(0) for c in classes}
    largest = (
        (gradients**2).mean(0).max()
    )  # what is zero but for rounding, as the bias of an attention's keys, has no ratio
    ratios = [column.mean() ** 2 / column.var() for column in gradients.T if column.var() > 1e-12 * largest]
    return {
        "stiffness-within": float(np.mean([np.mean(cosines[c, c]) for c in classes])),
        "stiffness-between": float(np.mean([np.mean(cosines[c, d]) for c in classes for d in classes if c != d])),
        "gradient-confusion": max(0.0, -min(means[c] @ means[d] for c, d in itertools.permutations(classes, 2))),
        "gradient-signal-to-noise": float(np.mean(ratios)),
    }


@pytest.mark.parametrize("name", ["mlp", "cnn", "transformer"])
def test_readings_on_networks(name: str) -> None:
    members = [cases.ALL[name](seed) for seed in (0, 1)]
    evidence = Evidence(cases.together(members))
    readings = {unit: read_measure(find(unit), evidence) for unit in NAMES}
    for index, case in enumerate(members):
        flat = oracle.flat(oracle.per_example(case.network, *case.train)).numpy()
        for unit, expected in by_pairs(flat, case.train[1].tolist()).items():
            assert readings[unit].value[index] == pytest.approx(expected, rel=1e-3, abs=1e-6), unit


def of(gradients: Tensor, labels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    one_hot = nn.functional.one_hot(labels).double().T
    norms = gradients.norm(dim=1, keepdim=True)
    sums = one_hot @ torch.where(norms > 0, gradients / norms, 0.0)
    means = one_hot @ gradients / one_hot.sum(1, keepdim=True)
    return sums @ sums.T, one_hot @ (norms > 0).double().squeeze(1), means @ means.T


def test_one_direction_a_class() -> None:
    gradients = torch.tensor([[2.0, 0.0], [5.0, 0.0], [0.0, 1.0], [0.0, 0.5], [0.0, 0.0]], dtype=torch.float64)
    classes = of(gradients, torch.tensor([0, 0, 1, 1, 1]))
    assert stiffness_within(classes).item() == pytest.approx(1)  # the example without gradient takes no part
    assert stiffness_between(classes).item() == pytest.approx(0)
    assert gradient_confusion(classes).item() == 0


def test_opposed_classes_confuse_each_other() -> None:
    classes = of(torch.tensor([[3.0], [-2.0]], dtype=torch.float64), torch.tensor([0, 1]))
    assert stiffness_between(classes).item() == -1
    assert gradient_confusion(classes).item() == 6
    assert stiffness_within(classes).isnan()


def test_a_class_without_examples_takes_no_part() -> None:
    classes = of(torch.tensor([[3.0], [4.0], [-2.0], [-2.0]], dtype=torch.float64), torch.tensor([0, 0, 2, 2]))
    assert stiffness_between(classes).item() == -1
    assert stiffness_within(classes).item() == 1
    assert gradient_confusion(classes).item() == 7
    assert gradient_confusion(of(torch.ones(2, 1).double(), torch.tensor([1, 1]))).isnan()


def test_signal_to_noise_leaves_out_parameters_that_no_example_tells_apart() -> None:
    # gradients 1 and 3: mean 2, variance 1; gradients 5 and 5: no variance; 0 and 0: nothing
    mean, second = torch.tensor([2.0, 5.0, 0.0]), torch.tensor([5.0, 25.0, 0.0])
    assert gradient_signal_to_noise({"w": mean}, {"w": second}).item() == pytest.approx(4)
    assert gradient_signal_to_noise({"w": mean[1:]}, {"w": second[1:]}).isnan()


def test_a_regression_has_a_signal_and_no_classes() -> None:
    case = cases.regression()
    evidence = Evidence(case.subject())
    flat = oracle.flat(oracle.per_example(case.network, *case.train, "squared-error")).numpy()
    expected = np.mean(flat.mean(0) ** 2 / flat.var(0))
    assert read_measure(find(NAMES[3]), evidence).value[0] == pytest.approx(expected, rel=1e-3)
    for name in NAMES[:3]:
        reading = read_measure(find(name), evidence)
        assert reading.statuses == (Status.NOT_APPLICABLE,)


def test_without_any_gradient_there_is_no_direction() -> None:
    subject = Subject(nn.Linear(3, 2, bias=False), (torch.zeros(4, 3), torch.arange(4) % 2))
    statuses = {name: read_measure(find(name), Evidence(subject)).statuses[0] for name in NAMES}
    assert statuses == {**dict.fromkeys(NAMES, Status.UNDEFINED), "gradient-confusion": Status.OK}
