"""Mixtures and noise against loops over examples."""

import numpy as np
import pytest
import torch
from tests import cases
from tests.oracles import outputs as oracle
from torch import Tensor, nn

from heldout.engine.evidence.mixing import noisy_predictions_kept, partners
from heldout.engine.evidence.resolving import Evidence
from heldout.engine.population import stream
from heldout.engine.subject import Examples, Subject
from heldout.records import NotApplicable, Passes


def mixture_is_right(network: nn.Module, x: Tensor, y: Tensor, partner: Tensor) -> list[float]:
    mixed = torch.stack([(x[i].double() + x[int(partner[i])].double()) / 2 for i in range(len(y))])
    return [float(np.argmax(z) == int(c)) for z, c in zip(oracle.outputs(network, mixed), y, strict=True)]


def test_partners_are_others_of_the_same_class() -> None:
    labels = torch.randint(5, (3, 200), generator=torch.Generator().manual_seed(0))
    labels[1, 17] = 9  # alone in its class
    partner, counted = partners(labels, seed=0)
    assert torch.equal(labels.gather(1, partner), labels)
    assert torch.equal(partner == torch.arange(200), ~counted)
    assert (~counted).nonzero().tolist() == [[1, 17]]
    assert torch.equal(partner.sort(dim=1).values, torch.arange(200).expand(3, 200))  # everyone is a partner once
    assert not torch.equal(partners(labels, seed=1)[0], partner)


def test_every_other_example_of_a_class_is_an_equally_likely_partner() -> None:
    # 3000 draws over 4 partners: each count has mean 750 and deviation 23.7; 6 deviations are passed with chance 1e-8.
    labels = torch.tensor([[0, 0, 0, 1, 0, 0]])
    counts = torch.bincount(torch.stack([partners(labels, seed)[0][0, 1] for seed in range(3000)]), minlength=6)
    assert counts[[1, 3]].tolist() == [0, 0]
    assert ((counts[[0, 2, 4, 5]] - 750).abs() < 143).all()


@pytest.mark.parametrize("name", ["mlp", "cnn", "transformer"])
@pytest.mark.parametrize("seed", [0, 3])
def test_mixtures_of_one_network(name: str, seed: int) -> None:
    case = cases.ALL[name]()
    evidence = Evidence(case.subject(), seed=seed)
    found = evidence["mixup_correct"]
    partner, _ = partners(case.train[1].unsqueeze(0), seed)
    assert found.correct[0].tolist() == mixture_is_right(case.network, *case.train, partner[0])
    assert found.counted.tolist() == [[1.0] * 60]
    assert evidence.spent == Passes(1.0, 0.0)


@pytest.mark.parametrize("inputs_too", [False, True])
@pytest.mark.parametrize("memory", [2**28, 5_000])
def test_members_with_labels_of_their_own_have_partners_of_their_own(inputs_too: bool, memory: int) -> None:
    members = [cases.memorizer(seed) for seed in range(2)]
    x, y = members[0].train
    labels = torch.stack([y, y.roll(7)])
    inputs = torch.stack([x, x.flip(0)]) if inputs_too else x
    apart = Examples(inputs, labels, x_per_member=inputs_too, y_per_member=True)
    networks = [member.network for member in members]
    found = Evidence(Subject(networks, apart, memory=memory))["mixup_correct"]
    partner, _ = partners(labels, 0)
    assert not torch.equal(partner[0], partner[1])
    for index, member in enumerate(members):
        own = inputs[index] if inputs_too else x
        expected = mixture_is_right(member.network, own, labels[index], partner[index])
        assert found.correct[index].tolist() == expected
        assert 0 < sum(expected) < 60
        alone = Evidence(Subject(member.network, (own, labels[index])))["mixup_correct"]
        assert torch.equal(alone.correct[0], found.correct[index])


@pytest.mark.parametrize(("name", "seed", "strength"), [("mlp", 0, 0.1), ("cnn", 0, 2.0), ("transformer", 3, 1.0)])
def test_noise_of_one_network(name: str, seed: int, strength: float) -> None:
    case = cases.ALL[name]()
    x, _ = case.train
    logits = Evidence(case.subject())["logits"]
    found = noisy_predictions_kept(case.subject(), logits, seed, strength=strength)
    noise = torch.randn(x.shape, generator=stream(seed, "input-noise", 0)).double().numpy()
    noisy = x.double().numpy() + strength * x.double().numpy().std(axis=0) * noise
    before, after = oracle.outputs(case.network, x), oracle.outputs(case.network, torch.tensor(noisy))
    expected = (before.argmax(1) == after.argmax(1)).astype(float)
    assert found[0].tolist() == expected.tolist()
    assert strength < 1 or 0 < expected.sum() < 60


@pytest.mark.parametrize("memory", [2**28, 5_000])
def test_noise_of_members_is_the_noise_of_each_alone(memory: int) -> None:
    members = [cases.mlp(seed) for seed in range(3)]
    subject = cases.together(members, memory=memory)
    together = noisy_predictions_kept(subject, Evidence(subject)["logits"], 0, strength=1.0)
    for index, member in enumerate(members):
        alone = noisy_predictions_kept(member.subject(), Evidence(member.subject())["logits"], 0, strength=1.0)
        assert torch.equal(together[index], alone[0])
    x, y = members[0].train
    apart = Examples(torch.stack([x, 3 * x + 1]), y, x_per_member=True)
    pair = Subject([member.network for member in members[:2]], apart)
    found = noisy_predictions_kept(pair, Evidence(pair)["logits"], 0, strength=1.0)
    assert torch.equal(found[0], together[0])
    other = members[1].subject(train=(3 * x + 1, y), test=None)
    assert torch.equal(found[1], noisy_predictions_kept(other, Evidence(other)["logits"], 0, strength=1.0)[0])


def test_a_single_example_does_not_vary_and_so_meets_no_noise() -> None:
    x, y = cases.mlp().train
    subject = cases.mlp().subject(train=(x[:1], y[:1]), test=None)
    assert noisy_predictions_kept(subject, Evidence(subject)["logits"], 0, strength=1e6).tolist() == [[1.0]]


def test_noise_costs_one_sweep_beyond_the_outputs() -> None:
    evidence = Evidence(cases.mlp().subject())
    evidence["noisy_predictions_kept"]
    assert evidence.spent == Passes(2.0, 0.0)


@pytest.mark.parametrize("name", ["mixup_correct", "noisy_predictions_kept"])
def test_tokens_and_regressions_have_neither(name: str) -> None:
    with pytest.raises(NotApplicable, match="whole numbers"):
        Evidence(cases.token_transformer().subject())[name]
    with pytest.raises(NotApplicable, match="regression"):
        Evidence(cases.regression().subject())[name]
