"""Mixtures of hidden representations against loops over pairs."""

import pytest
import torch
from tests import cases
from tests.oracles import inputs as oracle
from torch import Tensor

from heldout.engine.evidence.mixing import partners
from heldout.engine.evidence.resolving import Evidence
from heldout.engine.population import stream
from heldout.engine.subject import Examples
from heldout.records import NotApplicable, Passes


def chosen(seed: int) -> Tensor:
    return torch.randperm(60, generator=stream(seed, "hidden mixup"))


@pytest.mark.parametrize("memory", [2**28, 6_000])
def test_an_mlp_and_a_network_with_batch_norm(memory: int) -> None:
    for name, parts in {"memorizer": {"0": 1}, "cnn": {"0": 1, "3": 4}}.items():
        case = getattr(cases, name)()
        evidence = Evidence(case.subject(memory=memory), seed=2)
        found = evidence["hidden_mixup"]
        network, (x, y) = oracle.exact(case.network), case.train
        partner, counted = partners(y.unsqueeze(0), 2)
        assert torch.equal(found.counted[0].bool(), counted[0, chosen(2)])
        for place, cut in parts.items():
            h = network[:cut](x.double())
            right = [
                int(network[cut:](((h[i] + h[partner[0, i]]) / 2).unsqueeze(0)).argmax()) == int(y[i])
                for i in chosen(2)
            ]
            assert found.correct[place][0].bool().tolist() == right
        assert evidence.spent == Passes(2.0 * len(parts), 0.0)


def test_embeddings_of_tokens_are_mixed() -> None:
    case = cases.token_transformer()
    found = Evidence(case.subject())["hidden_mixup"]
    network, (x, y) = oracle.exact(case.network), case.train
    partner, _ = partners(y.unsqueeze(0), 0)
    right = []
    for i in chosen(0):
        embedded = (network.embedding(x["tokens"][i]) + network.embedding(x["tokens"][partner[0, i]])) / 2
        h = network.body(embedded.unsqueeze(0) + network.position)
        weights = x["weights"][i : i + 1].double()
        scores = network.head((h * weights.unsqueeze(-1)).sum(1) / weights.sum(1, keepdim=True))
        right.append(int(scores.argmax()) == int(y[i]))
    assert found.correct["embedding"][0].bool().tolist() == right


@pytest.mark.parametrize("inputs_too", [False, True])
def test_members_with_labels_of_their_own(inputs_too: bool) -> None:
    members = [cases.memorizer(seed) for seed in (0, 1)]
    x, y = members[0].train
    labels = torch.stack([y, y.roll(7)])
    inputs = torch.stack([x, x.flip(0)]) if inputs_too else x
    train = Examples(inputs, labels, x_per_member=inputs_too, y_per_member=True)
    found = Evidence(cases.together(members, train=train, test=None))["hidden_mixup"]
    for index, member in enumerate(members):
        own = inputs[index] if inputs_too else x
        alone = Evidence(member.subject(train=(own, labels[index]), test=None))["hidden_mixup"]
        assert torch.equal(found.correct["0"][index], alone.correct["0"][0])


def test_a_linear_network_and_a_regression_have_none() -> None:
    with pytest.raises(NotApplicable, match="no hidden layer"):
        Evidence(cases.linear().subject())["hidden_mixup"]
    with pytest.raises(NotApplicable, match="regression"):
        Evidence(cases.regression().subject())["hidden_mixup"]
