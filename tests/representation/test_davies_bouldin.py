"""The index against scikit-learn's and against loops."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from sklearn.metrics import davies_bouldin_score
from tests import cases
from tests.oracles import separability as oracle

from heldout.catalog import find
from heldout.engine.evidence.reading_units import read_measure, read_profile
from heldout.engine.evidence.resolving import Evidence
from heldout.records import Status
from heldout.representation.davies_bouldin import davies_bouldin


@pytest.mark.parametrize("name", ["mlp", "cnn", "transformer"])
def test_index_on_networks_at_every_layer(name: str) -> None:
    members = [cases.ALL[name](seed) for seed in range(2)]
    evidence = Evidence(cases.together(members))
    labels = evidence["representation_labels"].numpy()
    layers = evidence["representations"]
    expected = {
        layer: [davies_bouldin_score(x.double().numpy(), y) for x, y in zip(features, labels, strict=True)]
        for layer, features in layers.items()
    }
    first = read_measure(find("davies-bouldin"), evidence)
    assert first.value.tolist() == pytest.approx(expected[next(iter(layers))], rel=1e-5)
    rows = read_profile(find("davies-bouldin-by-layer"), evidence).rows
    assert [(row["member"], row["layer"]) for row in rows] == [(m, layer) for m in (0, 1) for layer in layers]
    assert [row["value"] for row in rows] == pytest.approx(
        [expected[row["layer"]][row["member"]] for row in rows], rel=1e-5
    )


def test_index_on_random_clusters_by_loops() -> None:
    generator = np.random.default_rng(0)
    y = generator.integers(6, size=80)
    x = generator.normal(size=(6, 5))[y] + 0.3 * generator.normal(size=(80, 5))
    found = davies_bouldin({"a": torch.tensor(x)}, F.one_hot(torch.tensor(y), 6).double())
    assert found.item() == pytest.approx(oracle.davies_bouldin(x, y), rel=1e-9)


def test_a_class_without_examples_is_left_out() -> None:
    generator = np.random.default_rng(1)
    y, x = np.array([0, 3, 0, 3, 5, 5]), generator.normal(size=(6, 2))
    found = davies_bouldin({"a": torch.tensor(x)}, F.one_hot(torch.tensor(y), 7).double())
    assert found.item() == pytest.approx(davies_bouldin_score(x, y), rel=1e-9)


def test_a_far_off_cloud_keeps_its_digits() -> None:
    x, y = torch.tensor([[-1.0], [1.0], [3.0], [5.0]], dtype=torch.float64) + 1e6, torch.tensor([0, 0, 1, 1])
    assert davies_bouldin({"a": x}, F.one_hot(y).double()).item() == pytest.approx(0.5, rel=1e-8)


def test_only_the_first_representation_counts() -> None:
    x, classes = torch.tensor([[-1.0], [1.0], [3.0], [5.0]]), F.one_hot(torch.tensor([0, 0, 1, 1])).double()
    assert davies_bouldin({"b": x, "a": x**2}, classes).item() == 0.5


@pytest.mark.parametrize(("x", "y"), [
    ([[0.0], [1.0]], [0, 0]),
    ([[1.0], [1.0], [1.0]], [0, 1, 1]),
    ([[0.0], [2.0], [1.0]], [0, 0, 1]),
])  # fmt: skip
def test_one_class_or_one_centre_has_no_index(x: list[list[float]], y: list[int]) -> None:
    assert davies_bouldin({"a": torch.tensor(x)}, F.one_hot(torch.tensor(y), 2).double()).isnan()


def test_the_winning_score_is_a_product() -> None:
    evidence = Evidence(cases.memorizer().subject())
    score, index, mixup = (
        read_measure(find(name), evidence).value.item()
        for name in ("davies-bouldin-mixup", "davies-bouldin", "label-wise-mixup")
    )
    assert 0 < mixup < 1
    assert score == pytest.approx(index * (1 - mixup), rel=1e-12)


def test_a_linear_network_has_none() -> None:
    evidence = Evidence(cases.linear().subject())
    for name in ("davies-bouldin", "davies-bouldin-mixup"):
        reading = read_measure(find(name), evidence)
        assert reading.statuses == (Status.NOT_APPLICABLE,)
        assert "hidden layer" in reading.reasons[0]
    assert read_profile(find("davies-bouldin-by-layer"), evidence).rows == ()
