"""Penultimate features of examples and of mixtures."""

import numpy as np
import pytest
import torch
from scipy.stats import kstest
from tests import cases

from heldout.engine.evidence.resolving import Evidence
from heldout.engine.population import stream
from heldout.engine.subject import Examples, Subject
from heldout.records import NotApplicable, Passes


def test_features_and_labels_of_examples_and_of_mixtures() -> None:
    case = cases.cnn()
    x, y = case.train
    evidence = Evidence(case.subject(), seed=4)
    chosen = torch.randperm(60, generator=stream(4, "label variation"))
    plain, mixed = evidence["penultimate_features"], evidence["mixed_penultimate_features"]
    body = case.network[:-1]  # type: ignore[index]
    torch.testing.assert_close(plain.features[0], body(x[chosen]).detach(), rtol=1e-4, atol=1e-5)
    one_hot = torch.nn.functional.one_hot(y[chosen]).double()
    assert torch.equal(plain.labels[0], one_hot)
    share = torch.rand(3, 60, generator=stream(4, "mixed features"), dtype=torch.float64).sort(0).values[1]
    other = torch.randperm(60, generator=stream(4, "mixed pairs"))
    inputs = x[chosen].double()
    blend = torch.stack([share[i] * inputs[i] + (1 - share[i]) * inputs[other[i]] for i in range(60)])
    labels = torch.stack([share[i] * one_hot[i] + (1 - share[i]) * one_hot[other[i]] for i in range(60)])
    torch.testing.assert_close(mixed.features[0], body(blend.float()).detach(), rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(mixed.labels[0], labels)
    assert evidence.spent == Passes(2.0, 0.0)


def test_shares_are_drawn_from_beta_two_two() -> None:
    # The features of a network that passes its input on are the shares themselves: examples 1 and 0 alternate.
    network = torch.nn.Sequential(torch.nn.Linear(1, 1, bias=False), torch.nn.Linear(1, 2))
    with torch.no_grad():
        network[0].weight.fill_(1.0)
    shares = []
    for seed in range(4):
        subject = Subject(network, (torch.arange(500.0).unsqueeze(1), torch.arange(500) % 2))
        mixed = Evidence(subject, seed=seed)["mixed_penultimate_features"].features[0, :, 0].double().numpy()
        one = torch.randperm(500, generator=stream(seed, "label variation")).numpy()
        two = one[torch.randperm(500, generator=stream(seed, "mixed pairs")).numpy()]
        apart = np.abs(one - two) > 20  # of others the share is not to be seen
        shares.append(((mixed - two) / np.where(apart, one - two, 1))[apart])
    # Kolmogorov and Smirnov's test fails true hypotheses with chance 1e-6
    assert kstest(np.concatenate(shares), "beta", args=(2, 2)).pvalue > 1e-6


def test_members_chunks_and_data_of_their_own() -> None:
    members = [cases.mlp(seed) for seed in (0, 1)]
    x, y = members[0].train
    train = Examples(torch.stack([x, x + 1]), torch.stack([y, y.roll(1)]), True, True)
    whole, cut = (
        Evidence(cases.together(members, train=train, test=None, memory=memory))["mixed_penultimate_features"]
        for memory in (2**28, 3_000)
    )
    torch.testing.assert_close(whole.features, cut.features)
    for index, member in enumerate(members):
        own = (x + index, train.y[index])
        alone = Evidence(member.subject(train=own, test=None))["mixed_penultimate_features"]
        torch.testing.assert_close(whole.features[index], alone.features[0])
        torch.testing.assert_close(whole.labels[index], alone.labels[0])


def test_what_cannot_be_says_why() -> None:
    with pytest.raises(NotApplicable, match="no hidden layer"):
        Evidence(cases.linear().subject())["penultimate_features"]
    with pytest.raises(NotApplicable, match="regression"):
        Evidence(cases.regression().subject())["penultimate_features"]
    with pytest.raises(NotApplicable, match="whole numbers"):
        Evidence(cases.token_transformer().subject())["mixed_penultimate_features"]
    tokens = Evidence(cases.token_transformer().subject())["penultimate_features"]
    assert tokens.features.shape == (1, 60, 8)
