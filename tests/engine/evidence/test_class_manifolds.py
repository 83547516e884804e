"""Clouds of classes: their points, the shuffled control, the layers, and what cannot be."""

import pytest
import torch
from tests import cases
from torch import nn

from heldout.engine.evidence.class_manifolds import class_points, read
from heldout.engine.evidence.resolving import Evidence
from heldout.engine.subject import Subject
from heldout.records import NotApplicable


def test_points_are_those_of_the_class_around_the_classes_middle() -> None:
    features = torch.tensor([[[1.0], [2.0], [10.0], [30.0], [3.0]]])
    labels = torch.tensor([[4, 4, 7, 7, 4]])
    # means 2 and 20, their middle 11; the smaller class repeats its own from the start
    assert class_points(features, labels)[0, :, :, 0].tolist() == [[-10, -9, -8], [-1, 19, -1]]


def test_a_class_that_one_network_does_not_have_is_zero_for_it_and_moves_no_middle() -> None:
    features = torch.tensor([[[1.0], [3.0], [8.0], [9.0]]]).repeat(2, 1, 1)
    labels = torch.tensor([[0, 0, 1, 1], [0, 0, 2, 2]])
    points = class_points(features, labels)
    assert points[:, :, :, 0].tolist() == [
        [[-4.25, -2.25], [2.75, 3.75], [0, 0]],
        [[-4.25, -2.25], [0, 0], [2.75, 3.75]],
    ]
    found, _ = read(features, labels, seed=0, draws=30)
    assert (found.whole[0, :, 2] == 0).all()


def test_no_more_than_twenty_points_and_classes() -> None:
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(900).reshape(1, -1) % 30
    assert class_points(torch.randn(1, 900, 3, generator=generator), labels).shape == (1, 20, 20, 3)


def test_labels_that_say_nothing_give_the_capacity_of_chance() -> None:
    generator = torch.Generator().manual_seed(1)
    features, labels = torch.randn(1, 80, 30, generator=generator), torch.arange(80).reshape(1, -1) % 4
    found, chance = read(features, labels, seed=3, draws=64)
    assert float(found.whole.mean() / chance.whole.mean()) == pytest.approx(1.0, abs=0.12)
    told, chance = read(features + 4 * torch.nn.functional.one_hot(labels, 30), labels, seed=3, draws=64)
    assert float(told.whole.mean() / chance.whole.mean()) < 0.7


def test_probes_are_shared_by_members_and_layers_and_differ_by_seed() -> None:
    evidence = Evidence(cases.together([cases.mlp(0), cases.mlp(0)]), seed=2)
    one = evidence["class_manifolds"]
    torch.testing.assert_close(one.whole[0], one.whole[1])
    assert one.whole.shape == (2, 128)
    other = Evidence(cases.mlp().subject(), seed=3)["class_manifolds"]
    assert not torch.allclose(one.whole[0], other.whole[0])


def test_the_last_layer_of_the_profile_is_the_layer_of_the_measures() -> None:
    evidence = Evidence(cases.together([cases.mlp(0), cases.mlp(1)]))
    by_layer, last = evidence["layer_manifolds"], evidence["class_manifolds"]
    assert by_layer.layers == ("2", "4")
    assert by_layer.classes == (0, 1, 2)
    torch.testing.assert_close(by_layer.together[:, 1], last.whole.mean(1))
    torch.testing.assert_close(by_layer.by_chance[:, 1], last.by_chance.mean(1))
    torch.testing.assert_close(by_layer.outside[:, 1], last.outside.mean(1))
    assert by_layer.own.shape == (3, 2, 2, 3)


def test_one_class_has_no_dichotomy() -> None:
    network = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 2))
    subject = Subject(
        network, train=(torch.randn(6, 2, generator=torch.Generator().manual_seed(0)), torch.ones(6).long())
    )
    with pytest.raises(NotApplicable, match="fewer than two classes"):
        Evidence(subject)["class_manifolds"]
