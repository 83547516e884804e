"""Distances of classes and radii by loops, and what a part of the examples foretells of all."""

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist
from tests import cases
from torch import nn

from heldout.engine.evidence import class_separation as room
from heldout.engine.evidence.class_separation import foretold, nearest_enemies, radius
from heldout.engine.evidence.resolving import Evidence
from heldout.engine.subject import Examples, Subject
from heldout.records import NotApplicable


def test_by_loops(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "BLOCK", 7)
    case = cases.mlp()
    found = Evidence(cases.together([case, cases.mlp(1)]))["class_separation"]
    x, y = (part.double().numpy() for part in case.train)
    every = np.where(y[:, None] != y[None], cdist(x, x), np.inf)
    assert found.distance.tolist() == pytest.approx([every.min()] * 2, rel=1e-9)
    assert found.radius.tolist() == pytest.approx([np.linalg.norm(x - x.mean(0), axis=1).max()] * 2)
    assert (found.examples, found.classes) == (60, 3)
    nearest = nearest_enemies(torch.tensor(x)[None], torch.tensor(y)[None])[0]
    assert nearest.tolist() == pytest.approx(np.sort(np.triu(every, 1)[np.triu(every, 1) > 0])[:20].tolist(), rel=1e-6)


def test_members_may_have_data_of_their_own() -> None:
    x = torch.tensor([[[0.0], [1.0], [4.0]], [[0.0], [2.0], [8.0]]])
    y = torch.tensor([[0, 1, 1], [1, 1, 0]])
    subject = Subject([nn.Linear(1, 2), nn.Linear(1, 2)], Examples(x, y, x_per_member=True, y_per_member=True))
    assert Evidence(subject)["class_separation"].distance.tolist() == pytest.approx([1.0, 6.0])
    assert radius(subject).tolist() == pytest.approx([4 - 5 / 3, 8 - 10 / 3])


def test_equal_inputs_of_different_classes_touch() -> None:
    x, y = torch.tensor([[[0.0], [0.0], [5.0]]]), torch.tensor([[0, 1, 0]])
    assert nearest_enemies(x, y)[0, 0] == 0
    assert foretold(nearest_enemies(x, y), 4.0) == 0


def test_a_part_foretells_the_distance_of_all() -> None:
    """Two classes in one square: pairs nearer than d grow as d^2, and the least distance falls as one over the examples."""
    generator = torch.Generator().manual_seed(0)
    ratios = []
    for _ in range(40):
        x = torch.rand(1, 800, 2, generator=generator, dtype=torch.float64)
        y = torch.randint(2, (1, 800), generator=generator)
        part = foretold(nearest_enemies(x[:, :200], y[:, :200]), (800 / 200) ** 2)
        ratios.append(float(part / nearest_enemies(x, y)[0, 0]))
    # the least of exponentially many has a spread of half of itself (Weibull with a = 2); without foretelling the ratio is 4
    middle = float(np.median(ratios))
    assert 0.5 < middle < 1.8


def test_a_regression_has_no_classes() -> None:
    with pytest.raises(NotApplicable, match="regression"):
        Evidence(cases.regression().subject())["class_separation"]
