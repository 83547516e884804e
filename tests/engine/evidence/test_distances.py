"""Which points distances are taken of."""

import pytest
import torch
from tests import cases
from torch import Tensor

from heldout.engine.evidence.boundary import INPUT, distances_of
from heldout.engine.evidence.distances import distances, mixed_distances
from heldout.engine.evidence.layouts import layout_of
from heldout.engine.evidence.mixing import partners
from heldout.engine.evidence.resolving import Evidence
from heldout.engine.evidence.transforms import augmented
from heldout.engine.population import stream
from heldout.engine.subject import Examples, Subject
from heldout.records import NotApplicable, Passes


def order(count: int, seed: int = 0) -> Tensor:
    return torch.randperm(count, generator=stream(seed, "distances"))


def same(one: Tensor, other: Tensor) -> None:
    torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-6)


def test_all_points_of_a_small_training_set_with_their_labels() -> None:
    case = cases.mlp()
    evidence = Evidence(case.subject(), seed=3)
    x, y = case.train
    chosen = order(60, 3)
    found, cuts = evidence["distances"], evidence["hidden_cuts"]
    expected = distances_of(
        case.subject(), evidence["folded"], x[chosen], y[chosen].unsqueeze(0), cuts, with_input=True
    )
    same(found.distance["2"], expected.distance["2"])
    assert torch.equal(evidence["input_distances"].distance[INPUT], found.distance[INPUT])
    assert list(evidence["first_hidden_distances"].distance) == ["0"]
    assert evidence.spent == Passes(1.0, 1.0)


def test_at_most_five_hundred_points() -> None:
    network = cases.mlp().network
    x, y = torch.randn(700, 8, generator=torch.Generator().manual_seed(0)), torch.arange(700) % 3
    evidence = Evidence(Subject(network, (x, y)))
    for name in ("distances", "mixed_distances"):
        assert evidence[name].distance["0"].shape == (1, 500)


@pytest.mark.parametrize("own", [False, True])
def test_mixtures_have_the_label_of_both_parents(own: bool) -> None:
    members = [cases.mlp(seed) for seed in (0, 1)]
    x, y = members[0].train
    labels = torch.stack([y, y.roll(1)])
    train = Examples(torch.stack([x, x + 1]), labels, True, True) if own else (x, y)
    evidence = Evidence(cases.together(members, train=train, test=None), seed=1)
    labels = labels if own else y.expand(2, -1)
    found = evidence["mixed_distances"].distance["0"]
    for index in (0, 1):
        inputs = x + index if own else x
        partner, _ = partners(labels[index : index + 1] if own else y.unsqueeze(0), 1)
        mixed = (inputs + inputs[partner[0]]) / 2
        chosen = order(60, 1)
        alone = Evidence(members[index].subject())
        expected = distances_of(alone.subject, alone["folded"], mixed[chosen], labels[index : index + 1, chosen],
                                alone["hidden_cuts"][:1], with_input=False)  # fmt: skip
        same(found[index], expected.distance["0"][0])


def test_an_example_alone_in_its_class_stays_as_it_is() -> None:
    case = cases.mlp()
    x, y = case.train
    evidence = Evidence(case.subject(train=(x[:3], y[:3]), test=None))
    same(evidence["mixed_distances"].distance["0"], evidence["distances"].distance["0"])


def test_augmented_pictures() -> None:
    case = cases.cnn()
    evidence = Evidence(case.subject(), seed=2)
    x, y = case.train
    chosen = order(60, 2)
    changed = augmented(x[chosen], layout_of(evidence.subject), 2)
    expected = distances_of(evidence.subject, evidence["folded"], changed, y[chosen].unsqueeze(0),
                            evidence["hidden_cuts"][:1], with_input=False)  # fmt: skip
    same(evidence["augmented_distances"].distance["0"], expected.distance["0"])
    assert not torch.allclose(expected.distance["0"], evidence["distances"].distance["0"], atol=1e-3)


def test_tokens_have_distances_from_their_embedding_on() -> None:
    evidence = Evidence(cases.token_transformer().subject())
    assert list(evidence["distances"].distance) == ["embedding", "body.norm1 (input)", "body.norm2 (input)"]
    assert list(evidence["first_hidden_distances"].distance) == ["embedding"]
    with pytest.raises(NotApplicable, match="whole numbers"):
        evidence["input_distances"]
    with pytest.raises(NotApplicable, match="whole numbers"):
        evidence["mixed_distances"]


def test_what_cannot_be_says_why() -> None:
    linear = Evidence(cases.linear().subject())
    assert list(linear["distances"].distance) == [INPUT]
    for name in ("first_hidden_distances", "mixed_distances"):
        with pytest.raises(NotApplicable, match="no hidden layer"):
            linear[name]
    for name in ("distances", "mixed_distances", "augmented_distances"):
        with pytest.raises(NotApplicable, match="regression"):
            Evidence(cases.regression().subject())[name]
    with pytest.raises(NotApplicable, match="signals"):
        Evidence(cases.transformer().subject())["augmented_distances"]


def test_neither_inputs_nor_layers() -> None:
    tokens = torch.nn.Sequential(torch.nn.EmbeddingBag(5, 2))
    subject = Subject(tokens, (torch.zeros(6, 2, dtype=torch.int64), torch.tensor([0, 1] * 3)))
    evidence = Evidence(subject)
    with pytest.raises(NotApplicable, match="neither the inputs"):
        distances(subject, evidence["folded"], (), evidence["labels"], 0)
    with pytest.raises(NotApplicable, match="no hidden layer"):
        mixed_distances(subject, evidence["folded"], (), evidence["labels"], 0)
