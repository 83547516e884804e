"""Evidence of the PAC-Bayes bounds: what saw which examples, on several architectures, with few steps."""

import warnings
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from tests import cases

from heldout.engine.evidence import drawing
from heldout.engine.evidence import posteriors as room
from heldout.engine.evidence.resolving import Evidence
from heldout.engine.posteriors import Gibbs, divergence, drawn, network_errors
from heldout.engine.posteriors.dense import dense_layers
from heldout.engine.subject import Examples, Subject
from heldout.engine.training import Recipe
from heldout.records import NotApplicable

RECIPE = Recipe(optimizer="adam", lr=0.02, steps=40, batch_size=64)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Short trainings and few draws: these tests ask who saw what, not how tight a bound is."""
    monkeypatch.setattr(room, "FROM_INITIAL", replace(room.FROM_INITIAL, steps=5))
    monkeypatch.setattr(room, "FROM_SPLIT", replace(room.FROM_SPLIT, steps=5))
    monkeypatch.setattr(drawing, "EPOCHS", 1)
    monkeypatch.setattr(drawing, "EVALUATIONS", 1200)
    monkeypatch.setattr(drawing, "COSTLY", 600)
    monkeypatch.setattr(drawing, "WHOLE", 6)


def evidence(case: str = "linear", members: int = 2, seed: int = 0, **changes: Any) -> Evidence:
    """Of a small population."""
    made = [getattr(cases, case)(seed=number) for number in range(members)]
    return Evidence(cases.together(made, **changes), seed=seed, recipe=RECIPE)


@pytest.mark.parametrize(
    ("case", "draws"), [("linear", 1200), ("mlp", 1200), ("cnn", 600), ("token_transformer", 600), ("lstm", 6)]
)
def test_every_architecture_has_a_gibbs_predictor(case: str, draws: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the LSTM, that its members are called one by one
        found: Gibbs = evidence(case)["gibbs_from_initial"]
    assert found.draws == draws
    assert found.pairs == draws // 2
    assert found.examples == 60
    for values in (
        found.divergence,
        found.price,
        found.risk,
        found.pair_risk,
        found.single.risk,
        found.single.log_ratio,
    ):
        assert values.shape == (2,)
        assert np.isfinite(values).all()
    assert (found.pair_risk <= found.risk).all()
    assert found.reference_errors is None


def test_the_numbers_are_those_of_the_posterior() -> None:
    asked = evidence()
    found, posterior = asked["gibbs_from_initial"], asked["posterior_from_initial"]
    assert found.divergence.tolist() == divergence(posterior.posterior, posterior.prior).tolist()
    one = drawn(posterior.posterior, 1, seed=0, purpose="single draw")
    assert (
        found.single.risk.tolist() == network_errors(one, asked.subject.train, binary=False).double().mean(1).tolist()
    )
    initial = asked.subject.initial
    assert initial is not None
    for name, weight in posterior.prior.centre.parameters.items():
        assert torch.equal(weight, initial.parameters[name])


def test_the_learnt_prior_saw_its_part_of_the_split_alone() -> None:
    asked = evidence()
    prior, bound = asked["prior_split"]
    assert sorted(prior.tolist() + bound.tolist()) == list(range(60))
    assert len(prior) == 30
    x, y = cases.linear().train
    changed = y.clone()
    changed[bound] = (changed[bound] + 1) % 3  # other labels in the bound's part
    other = evidence(train=(x, changed))
    for name, weight in asked["learnt_prior"].parameters.items():
        assert torch.equal(weight, other["learnt_prior"].parameters[name])
    ours, theirs = asked["gibbs_from_split"], other["gibbs_from_split"]
    assert (theirs.reference_errors > ours.reference_errors).all()
    wrong = network_errors(asked["learnt_prior"], asked.subject.train.take(bound), binary=False).sum(1)
    assert ours.reference_errors.tolist() == wrong.tolist()
    assert ours.examples == 30
    assert ours.price.tolist() == [0.0, 0.0]


def test_seed_and_recipe_count() -> None:
    asked, other = evidence(), evidence(seed=1)
    assert asked["prior_split"][0].tolist() != other["prior_split"][0].tolist()
    assert (
        asked["gibbs_from_initial"].single.log_ratio.tolist() != other["gibbs_from_initial"].single.log_ratio.tolist()
    )
    initial = asked.subject.initial
    assert initial is not None
    still = Evidence(asked.subject, recipe=RECIPE.but(steps=0))
    assert torch.equal(still["learnt_prior"].parameters["weight"], initial.parameters["weight"])


def test_one_logit_an_example() -> None:
    torch.manual_seed(0)
    x, network, initial = torch.randn(40, 8), torch.nn.Linear(8, 1), torch.nn.Linear(8, 1)
    labels = (network(x).squeeze(1) > 0).long()
    subject = Subject(network, (x, labels), loss="binary-cross-entropy", initial=initial)
    found = Evidence(subject, recipe=RECIPE.but(loss="binary-cross-entropy"))["gibbs_from_split"]
    assert 0 <= found.risk[0] <= 0.5
    assert dense_layers(subject.population, subject.probe) == {"": 1}


def test_inputs_of_double_precision() -> None:
    x, y = cases.linear().train
    double = evidence(train=(x.double().numpy(), y.numpy()))["gibbs_from_split"]
    assert double.risk.tolist() == evidence()["gibbs_from_split"].risk.tolist()


def test_members_with_their_own_data() -> None:
    x, y = cases.linear().train
    own = Examples(torch.stack([x, x.flip(0)]), torch.stack([y, y.flip(0)]), x_per_member=True, y_per_member=True)
    found = evidence(train=own)["gibbs_from_initial"]
    assert found.risk.shape == (2,)
    assert (found.risk < 0.6).all()


@pytest.mark.parametrize(
    ("case", "changes", "reason"),
    [
        ("linear", {"initial": None}, "the weights at initialisation are not known"),
        ("regression", {}, "the task is a regression"),
        ("linear", {"train": tuple(part[:15] for part in cases.linear().train)}, "there are only 15 training examples"),
    ],
)
def test_what_a_subject_must_have(case: str, changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(NotApplicable, match=reason):
        evidence(case, **changes)["gibbs_from_initial"]


def test_repeats_across_the_split_leave_the_certificate_out() -> None:
    x, y = cases.linear().train
    doubled = (torch.cat([x, x]), torch.cat([y, y]))
    with pytest.raises(NotApplicable, match="60 training examples have the same input as another, and copies are"):
        evidence(train=doubled)["gibbs_from_split"]
    with pytest.raises(NotApplicable, match="remove them, or say duplicates='allow'"):
        evidence(train=doubled)["gibbs_from_initial"]
    assert "60 training" in evidence(train=doubled, duplicates="allow")["gibbs_from_initial"].data["repeats"]
    assert evidence(train=doubled, duplicates="allow")["gibbs_from_split"].examples == 60


def test_a_prior_whose_training_diverges_leaves_the_certificate_out() -> None:
    asked = evidence("mlp")
    wild = Evidence(asked.subject, recipe=Recipe(optimizer="sgd", lr=1e30, steps=50, loss="cross-entropy"))
    with pytest.raises(NotApplicable, match="the training of the prior's networks diverged"):
        wild["gibbs_from_split"]
