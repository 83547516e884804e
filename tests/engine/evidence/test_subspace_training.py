"""Training in subspaces: codes by hand, the mark that needs few or many dimensions, one seed and company."""

import math

import numpy as np
import pytest
import torch
from tests import cases
from torch import nn

from heldout.catalog import find
from heldout.engine.compression.messages import encoded
from heldout.engine.evidence.reading_units import read_measure
from heldout.engine.evidence.resolving import Evidence
from heldout.engine.evidence.subspace_training import label_bits
from heldout.engine.subject import Examples, Subject
from heldout.records import NotApplicable, Status


def linear(inputs: int, *, noise: bool, examples: int = 40, members: int = 2) -> Subject:
    """Examples on which a linear network is right by its first input alone, or whose labels are noise."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(examples, inputs, generator=generator)
    y = torch.randint(2, (examples,), generator=generator) if noise else (x[:, 0] > 0).long()
    networks, starts = [], []
    for member in range(members):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(member)
            start = nn.Linear(inputs, 2)
            network = nn.Linear(inputs, 2)
        weights = torch.linalg.lstsq(x, nn.functional.one_hot(y).float() - 0.5).solution.T
        with torch.no_grad():
            network.weight.copy_(weights * (1 + member))
            network.bias.zero_()
        networks.append(network)
        starts.append(start)
    return Subject(networks, train=(x, y), initial=starts)


@pytest.fixture(scope="module")
def found() -> Evidence:
    return Evidence(linear(50, noise=False))


def test_numbers_and_dimensions(found: Evidence) -> None:
    training = found["subspace_training"]
    assert training.dimensions.tolist() == [[1, 2, 4, 8, 16, 32, 64]] * 2  # at most twice the forty examples
    assert training.accuracies.shape == training.bits.shape == (2, 7)
    subject = found.subject
    assert subject.initial is not None
    x, y = subject.train.x, subject.train.y
    start = (subject.initial(x).argmax(-1) == y).double().mean(1)
    assert torch.allclose(training.start_accuracy, start)
    wrong = 40 * (1 - start)
    assert torch.allclose(training.start_bits, 1 + label_bits(wrong, 40, 2))
    assert training.own_accuracy.tolist() == [1.0, 1.0]
    assert training.accuracies[:, -1].min() == 1
    # the shortest message there is: one dimension and its levels
    least = min(len(encoded(np.array([0]), np.array([0.5], dtype=np.float16), levels)) for levels in (3, 7, 15))
    assert training.bits.min() >= 1 + least


def test_noise_takes_more_dimensions(found: Evidence) -> None:
    easy, hard = (read_measure(find("objective-dimension"), e) for e in (found, Evidence(linear(50, noise=True))))
    assert easy.statuses == hard.statuses == (Status.OK, Status.OK)
    assert (easy.value < hard.value).all()


def test_noise_is_not_compressed_and_a_rule_is() -> None:
    easy, hard = (
        read_measure(find("description-length"), Evidence(linear(20, noise=noise, examples=500, members=1))).value
        for noise in (False, True)
    )
    assert (easy < 400).all()  # bits, of 500 labels
    assert (hard > 480).all()


def test_again_and_alone(found: Evidence) -> None:
    subject = found.subject
    assert subject.initial is not None
    again = Evidence(linear(50, noise=False))["subspace_training"]
    for one, other in zip(again, found["subspace_training"], strict=True):
        assert torch.equal(one, other)
    alone = Subject(subject.population.member(1), train=subject.train, initial=subject.initial.member(1))
    for one, other in zip(Evidence(alone)["subspace_training"], again, strict=True):
        assert torch.allclose(one[0], other[1], rtol=1e-9)
    moved = Evidence(subject, seed=1)["subspace_training"]
    assert not torch.equal(moved.accuracies, again.accuracies)


def test_data_of_every_member_its_own() -> None:
    subject = linear(6, noise=False)
    assert subject.initial is not None
    x, y = subject.train.x, subject.train.y
    apart = Examples(torch.stack([x, x.flip(0)]), torch.stack([y, 1 - y]), x_per_member=True, y_per_member=True)
    own = Subject(subject.population, train=apart, initial=subject.initial)
    together = Evidence(own)["subspace_training"]
    first = Evidence(Subject(subject.population.member(0), train=(x, y), initial=subject.initial.member(0)))
    assert torch.allclose(together.accuracies[0], first["subspace_training"].accuracies[0])


@pytest.mark.parametrize(("wrong", "classes"), [(0, 3), (1, 3), (7, 2), (10, 10)])
def test_label_bits_by_counting(wrong: int, classes: int) -> None:
    expected = math.log2(11) + math.log2(math.comb(10, wrong)) + wrong * math.log2(classes - 1)
    assert label_bits(torch.tensor([float(wrong)]), 10, classes).item() == pytest.approx(expected, abs=1e-9)
    # a prefix-free code for all labels: over all ways to be wrong the lengths sum to one (Kraft)
    total = sum(
        math.comb(10, k) * (classes - 1) ** k * 2 ** -label_bits(torch.tensor([float(k)]), 10, classes).item()
        for k in range(11)
    )
    assert total == pytest.approx(1)


def test_what_is_needed() -> None:
    with pytest.raises(NotApplicable, match="weights at initialisation"):
        Evidence(cases.mlp().subject(initial=None))["subspace_training"]
    with pytest.raises(NotApplicable, match="regression"):
        Evidence(cases.regression().subject())["subspace_training"]
