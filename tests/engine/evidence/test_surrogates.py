"""Surrogates: what they have seen, where they disagree, and rounding."""

import pytest
import torch
from tests import cases

from heldout.engine.evidence.resolving import Evidence
from heldout.engine.evidence.retraining import answers
from heldout.engine.evidence.surrogates import rounded
from heldout.engine.population import Population
from heldout.engine.training import Recipe, fit
from heldout.records import NotApplicable

RECIPE = Recipe(optimizer="adam", lr=1e-2, batch_size=50, steps=30)


def test_the_split_is_a_partition_that_the_seed_decides() -> None:
    subject = cases.mlp().subject()
    first, second = Evidence(subject, seed=1)["surrogate_split"]
    assert (len(first), len(second)) == (42, 18)
    assert sorted([*first.tolist(), *second.tolist()]) == list(range(60))
    assert not torch.equal(first, Evidence(subject, seed=2)["surrogate_split"][0])


def test_the_surrogate_has_not_seen_what_was_set_aside() -> None:
    case = cases.mlp()
    x, y = case.train
    first, second = Evidence(case.subject(), seed=1)["surrogate_split"]
    spoilt_x, spoilt_y = x.clone(), y.clone()
    spoilt_x[second], spoilt_y[second] = 100.0, 0
    ours, theirs = (
        Evidence(case.subject(train=train, duplicates="allow"), seed=1, recipe=RECIPE)["surrogate"]
        for train in ((x, y), (spoilt_x, spoilt_y))
    )
    assert all(torch.equal(tensor, theirs.parameters[name]) for name, tensor in ours.parameters.items())
    with torch.enable_grad():
        direct = fit(Population(case.initial), (x[first], y[first]), RECIPE.but(batch_size=42), seed=1).final
    assert all(torch.equal(tensor, direct.parameters[name]) for name, tensor in ours.parameters.items())


def test_counts_by_hand() -> None:
    case = cases.mlp()
    evidence = Evidence(case.subject(), seed=1, recipe=RECIPE)
    known, (_, second) = evidence["transferred"], evidence["surrogate_split"]
    network, (x, y) = evidence["surrogate"].member(0), case.train
    with torch.no_grad():
        assert known.errors[0] == (network(x[second]).argmax(1) != y[second]).sum()
        apart = network(case.test[0]).argmax(1) != case.network(case.test[0]).argmax(1)
        assert known.disagreements[0] == apart.sum() > 0
        assert known.test_errors[0] == (case.network(case.test[0]).argmax(1) != case.test[1]).sum()
    assert (known.examples, known.unlabelled) == (18, 90)


def test_repeats_between_the_parts_are_seen() -> None:
    x, y = cases.mlp().train
    repeated = cases.mlp().subject(train=(torch.cat([x, x]), torch.cat([y, y])))
    with pytest.raises(NotApplicable, match="same input"):
        _ = Evidence(repeated)["surrogate_split"]


def test_rounding_leaves_so_many_levels() -> None:
    population = cases.together([cases.mlp(0), cases.mlp(1)]).population
    for bits in (2, 4):
        for name, tensor in rounded(population, bits=bits).parameters.items():
            before = population.parameters[name]
            largest = before.abs().flatten(1).amax(1)
            for member in range(2):
                levels = tensor[member] / largest[member] * (2 ** (bits - 1) - 1)
                assert torch.allclose(levels, levels.round(), atol=1e-4)
                step = largest[member] / (2 ** (bits - 1) - 1)
                assert (tensor[member] - before[member]).abs().max() <= step * 0.5001
    fine = rounded(population, bits=16)
    subject, data = cases.together([cases.mlp(0), cases.mlp(1)]), cases.mlp().subject().train
    assert torch.equal(answers(subject, fine, data), answers(subject, population, data))


def test_the_rounded_network_by_hand() -> None:
    case = cases.mlp()
    found, (x, y) = Evidence(case.subject())["edited"], case.test
    network = rounded(case.subject().population, bits=8).member(0)
    with torch.no_grad():
        after = network(x).argmax(1)
        assert found.disagreements[0] == (after != case.network(x).argmax(1)).sum()
    assert found.test_errors[0] == (after != y).sum()


def test_zero_tensors_stay_zero() -> None:
    network = torch.nn.Linear(2, 2)
    torch.nn.init.zeros_(network.weight)
    assert torch.equal(rounded(Population(network)).parameters["weight"][0], torch.zeros(2, 2))
