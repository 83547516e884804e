"""Variation of labels on graphs of nearest neighbours."""

import numpy as np
import pytest
import torch
from tests import cases
from tests.oracles import inputs as oracle

from heldout.catalog import find
from heldout.engine.evidence.penultimate import LabelledFeatures
from heldout.engine.evidence.reading_units import read_measure
from heldout.engine.evidence.resolving import Evidence
from heldout.records import Status
from heldout.representation.label_variation import label_variation, label_variation_mixup


def test_four_points_by_hand() -> None:
    # Neighbours by cosine, not by distance: the long vector is next to the short one of its direction.
    x = torch.tensor([[100.0, 1.0], [1.0, 0.0], [0.0, 1.0], [-1.0, 4.0]])
    y = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.5, 0.5], [0.0, 1.0]])
    # joined: 0-1, 1-0, 2-3, 3-2: half squared distances 1, 1, 1/4, 1/4
    found = label_variation(LabelledFeatures(x, y))
    assert found.value.item() == pytest.approx(2.5 / 4)
    assert found.standard_error.item() == pytest.approx(np.std([1, 1, 0.25, 0.25], ddof=1) / 2)


@pytest.mark.parametrize("variation", [label_variation, label_variation_mixup])
def test_the_laplacian_written_out(variation: object) -> None:
    generator = np.random.default_rng(0)
    x, y = generator.normal(size=(40, 3)), generator.dirichlet(np.ones(4), size=40)
    found = variation(LabelledFeatures(torch.as_tensor(x), torch.as_tensor(y)))  # type: ignore[operator]
    assert found.value.item() == pytest.approx(oracle.label_variation(x, y), rel=1e-9)


def test_readings_of_networks() -> None:
    evidence = Evidence(cases.together([cases.memorizer(0), cases.memorizer(1)]))
    for name in ("label-variation", "label-variation-mixup"):
        features, labels = evidence[f"{'mixed_' if 'mixup' in name else ''}penultimate_features"]
        expected = [oracle.label_variation(*(t[m].double().numpy() for t in (features, labels))) for m in (0, 1)]
        assert read_measure(find(name), evidence).value.tolist() == pytest.approx(expected, rel=1e-9)


def test_one_hot_labels_give_the_share_of_strangers() -> None:
    x = torch.tensor([[1.0, 0.0], [1.0, 0.1], [0.0, 1.0], [0.1, 1.0], [0.2, 1.0]])
    y = torch.eye(2)[torch.tensor([0, 1, 0, 0, 1])].double()
    # angles 0, 5.7; 90, 84.3, 78.7: the middle one of the second cloud is 5.7 from the one and 5.6 from the other
    assert label_variation(LabelledFeatures(x, y)).value.item() == pytest.approx(4 / 5)


def test_a_single_example_has_no_neighbour_and_nan_no_number() -> None:
    case = cases.mlp()
    x, y = case.train
    evidence = Evidence(case.subject(train=(x[:1], y[:1]), test=None))
    assert read_measure(find("label-variation"), evidence).statuses == (Status.UNDEFINED,)
    nan = LabelledFeatures(torch.tensor([[1.0, 0.0], [float("nan"), 1.0]]), torch.eye(2).double())
    assert label_variation(nan).value.isnan()


@pytest.mark.parametrize("name", ["label-variation", "label-variation-mixup"])
def test_networks_that_memorize_have_neighbours_of_other_classes(name: str) -> None:
    # Four networks each on the same inputs, seeds fixed: 0.05 to 0.08 against 0.35 to 0.68.
    good, bad = (
        read_measure(find(name), Evidence(cases.together([make(seed) for seed in range(4)]))).value
        for make in (cases.generalizer, cases.memorizer)
    )
    assert bad.min() > good.max() + 0.2
