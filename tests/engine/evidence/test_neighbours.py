"""Neighbours against sorted distances, points that repeat others, and slopes of labels by loops."""

from unittest import mock

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist
from tests import cases
from torch import nn

from heldout.engine.evidence import neighbours
from heldout.engine.evidence.neighbours import CELLS, NEIGHBOURS, around, chosen
from heldout.engine.evidence.resolving import Evidence
from heldout.engine.subject import Examples, Subject
from heldout.records import NotApplicable


def test_distances_and_cells_are_those_of_sorting_them_all() -> None:
    points = torch.randn(3, 50, 4, generator=torch.Generator().manual_seed(0)) + 100
    whole = around(points)
    with mock.patch.object(neighbours, "BYTES_AT_ONCE", 1):
        one_by_one = around(points)
    for member in range(3):
        x = points[member].double().numpy()
        every = cdist(x, x)
        np.testing.assert_allclose(whole.distances[member], np.sort(every, 1)[:, 1 : NEIGHBOURS + 1], rtol=1e-9)
        assert whole.cells[member].tolist() == every[:, :CELLS].argmin(1).tolist()
    assert torch.equal(whole.distances, one_by_one.distances)


def test_a_point_that_repeats_another_counts_once() -> None:
    x = torch.tensor([[[0.0], [1.0], [0.0], [3.0], [1.0 + 1e-9]]], dtype=torch.float64)
    found = around(x).distances[0]
    assert found[0, :2].tolist() == pytest.approx([1.0, 3.0])
    assert found[1, :2].tolist() == pytest.approx([1.0, 2.0])
    assert found[[2, 4]].isinf().all()
    assert found[:, 2:].isinf().all()


def test_data_and_representations_are_of_the_same_examples() -> None:
    case = cases.mlp()
    evidence = Evidence(cases.together([case, cases.mlp(1)]), seed=4)
    x = case.train[0][chosen(evidence.subject, 4)].double()
    assert torch.equal(evidence["data_neighbours"].distances[0], around(x.unsqueeze(0)).distances[0])
    assert torch.equal(evidence["data_neighbours"].distances[0], evidence["data_neighbours"].distances[1])
    last = list(evidence["representations"].values())[-1]
    torch.testing.assert_close(evidence["representation_neighbours"].distances, around(last).distances)


def test_members_may_have_data_of_their_own() -> None:
    x = torch.randn(2, 30, 3, generator=torch.Generator().manual_seed(0))
    y = torch.arange(30).repeat(2, 1) % 2
    evidence = Evidence(Subject([nn.Linear(3, 2), nn.Linear(3, 2)], Examples(x, y, True, True)))
    found = evidence["data_neighbours"].distances
    assert not torch.equal(found[0], found[1])
    order = chosen(evidence.subject, 0)
    torch.testing.assert_close(found[1], around(x[1:, order]).distances[0])
    assert evidence["label_slopes"].shape == (2, 30)


@pytest.mark.parametrize("name", ["mlp", "regression"])
def test_slopes_by_loops(name: str) -> None:
    case = getattr(cases, name)()
    evidence = Evidence(case.subject())
    order = chosen(evidence.subject, 0)
    x, y = (part[order].double().numpy() for part in case.train)
    expected = []
    for i in range(len(x)):
        gaps = [np.linalg.norm(y[i] - y[j]) if name == "regression" else float(y[i] != y[j]) for j in range(len(x))]
        expected.append(max(gaps[j] / np.linalg.norm(x[i] - x[j]) for j in range(len(x)) if j != i))
    np.testing.assert_allclose(evidence["label_slopes"][0], expected, rtol=1e-9)


def test_equal_inputs_with_unlike_labels_are_infinitely_steep_and_with_like_ones_flat() -> None:
    x = torch.tensor([[0.0], [0.0], [2.0], [2.0]])
    evidence = Evidence(Subject(nn.Linear(1, 2), train=(x, torch.tensor([0, 1, 0, 0]))))
    slopes = dict(zip(chosen(evidence.subject, 0).tolist(), evidence["label_slopes"][0].tolist(), strict=True))
    assert slopes == {0: float("inf"), 1: float("inf"), 2: 0.5, 3: 0.5}


def test_words_have_no_distance() -> None:
    with pytest.raises(NotApplicable, match="not real numbers"):
        Evidence(cases.token_transformer().subject())["data_neighbours"]
