"""Repeats between training and test data: found when they are there, and not when they are not."""

import numpy as np
import pytest
import torch
from scipy.spatial import cKDTree
from sklearn.datasets import make_moons
from torch import Tensor, nn

from heldout.datasets.digits import digits
from heldout.engine.evidence import duplicates as room
from heldout.engine.evidence.duplicates import nearest
from heldout.engine.evidence.resolving import Evidence
from heldout.engine.subject import Examples, Subject


def found(train: Tensor, test: Tensor) -> room.Duplicates:
    network = nn.Sequential(nn.Flatten(), nn.Linear(train[0].numel(), 2))
    labels = [torch.zeros(len(x), dtype=torch.long) for x in (train, test)]
    return Evidence(Subject(network, (train, labels[0]), (test, labels[1])))["duplicates"]


def images() -> tuple[Tensor, Tensor]:
    (x, _), (x_test, _) = digits(train_size=600)
    return x, x_test.clone()


def gaussian(dimension: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(dimension)
    return torch.randn(800, dimension, generator=generator), torch.randn(700, dimension, generator=generator)


def moons() -> tuple[Tensor, Tensor]:
    return tuple(torch.tensor(make_moons(700, noise=0.1, random_state=seed)[0]).float() for seed in (0, 1))  # type: ignore[return-value]


@pytest.mark.parametrize("data", [images, lambda: gaussian(2), lambda: gaussian(5), lambda: gaussian(40), moons])
def test_independent_data_give_no_alarm(data) -> None:  # type: ignore[no-untyped-def]
    result = found(*data())
    assert len(result.exact) == len(result.near) == 0
    assert result.searched > 0


def test_a_copied_image_is_exact() -> None:
    x, x_test = images()
    x_test[[3, 9]] = x[[0, 100]]
    result = found(x, x_test)
    assert result.exact.tolist() == [3, 9]
    assert len(result.near) == 0


@pytest.mark.parametrize("change", ["noise", "one grey level"])
def test_an_image_changed_a_little_is_near(change: str) -> None:
    x, x_test = images()
    x_test[5] = (
        x[8] + 0.01 * torch.randn(1, 8, 8, generator=torch.Generator().manual_seed(0)) if change == "noise" else x[8]
    )
    if change != "noise":
        x_test[5, 0, 3, 3] += 1 / 16
    assert found(x, x_test).near.tolist() == [5]


def test_signed_zeros_are_equal() -> None:
    x, x_test = gaussian(4)
    x[0], x_test[2] = 0.0, -0.0
    assert found(x, x_test).exact.tolist() == [2]


def test_tokens_are_compared_exactly_only() -> None:
    network = nn.Sequential(nn.Embedding(50, 4), nn.Flatten(), nn.Linear(24, 2))
    generator = torch.Generator().manual_seed(0)
    x, x_test = (torch.randint(50, (n, 6), generator=generator) for n in (80, 60))
    x_test[4] = x[70]
    labels = [torch.zeros(len(part), dtype=torch.long) for part in (x, x_test)]
    result = Evidence(Subject(network, (x, labels[0]), (x_test, labels[1])))["duplicates"]
    assert result.exact.tolist() == [4]
    assert result.searched == 0


def test_distances_are_those_of_a_tree_even_where_matrix_products_cancel() -> None:
    generator = torch.Generator().manual_seed(0)
    points = 1e3 + torch.randn(400, 6, dtype=torch.float64, generator=generator)
    queries = points[:50] + 1e-7 * torch.randn(50, 6, dtype=torch.float64, generator=generator)
    distances, _ = cKDTree(points.numpy()).query(queries.numpy(), k=3)
    np.testing.assert_allclose(nearest(queries, points, 3).numpy(), distances, rtol=1e-6)


def test_large_data_are_searched_in_part_and_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    x, x_test = gaussian(5)
    monkeypatch.setattr(room, "MULTIPLY_ADDS", 100 * x.numel())
    assert found(x, x_test).searched == 100


def test_few_or_constant_training_data_make_nothing_near() -> None:
    assert len(found(torch.zeros(40, 3), torch.full((5, 3), 1e-9)).near) == 0
    x, x_test = gaussian(3)
    assert len(found(x[:5], x_test).near) == 0


def test_inputs_of_every_member_are_searched() -> None:
    x, x_test = gaussian(4)
    x_test[6] = x[500]
    labels = torch.zeros(400, dtype=torch.long)
    train = Examples(torch.stack([x[:400], x[400:]]), labels, x_per_member=True)
    subject = Subject([nn.Linear(4, 2), nn.Linear(4, 2)], train, (x_test, torch.zeros(700, dtype=torch.long)))
    assert Evidence(subject)["duplicates"].exact.tolist() == [6]
