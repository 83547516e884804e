"""Scattering: samples do not overlap, one example is replaced, and distances are those of networks trained alone."""

import numpy as np
import pytest
import torch
from tests import cases

from heldout.engine.evidence.resolving import Evidence
from heldout.engine.evidence.scattering import Scattered, root_mean_square, swapped_shares
from heldout.engine.population import Population, stream
from heldout.engine.training import Recipe, fit
from heldout.records import NotApplicable

RECIPE = Recipe(optimizer="sgd", lr=0.05, batch_size=10, steps=30)


def test_one_example_comes_from_the_next_sample() -> None:
    parts = torch.arange(12).reshape(3, 4)
    assert swapped_shares(parts, 2).tolist() == [
        [4, 1, 2, 3], [0, 5, 2, 3], [8, 5, 6, 7], [4, 9, 6, 7], [0, 9, 10, 11], [8, 1, 10, 11]
    ]  # fmt: skip


def test_distances_are_those_of_networks_trained_alone() -> None:
    case = cases.generalizer(1)
    subject = cases.together([cases.generalizer(0), case])
    found: Scattered = Evidence(subject, recipe=RECIPE, seed=4)["scattered"]
    tensors, samples = len(found.names), 7
    assert found.examples == 8
    assert found.apart.shape == (2, tensors, samples, samples)
    assert found.moved.shape == (2, tensors, samples, 4)
    assert found.seen.shape == found.fresh.shape == (2, 11, samples)
    x, y = case.train
    parts = torch.randperm(60, generator=stream(4, "samples"))[:56].reshape(7, 8)
    with torch.enable_grad():
        nets = [
            fit(Population(case.initial), (x[p], y[p]), RECIPE.but(batch_size=8), seed=4, numbers=[1]).final
            for p in (parts[0], parts[2], swapped_shares(parts, 4)[9])
        ]
    for place, name in enumerate(found.names):
        first, third, changed = (net.parameters[name][0].detach().double() for net in nets)
        assert found.apart[1, place, 0, 2] == pytest.approx((first - third).square().sum().item(), rel=1e-3)
        assert found.moved[1, place, 2, 1] == pytest.approx((third - changed).square().sum().item(), rel=1e-3, abs=1e-9)
    initial = torch.cat([p.detach().flatten() for p in case.initial.parameters()]).double()
    assert root_mean_square(Population(case.initial), 0) == pytest.approx(initial.square().mean().sqrt().item())
    assert found.noises[1, 9] == pytest.approx(initial.square().mean().sqrt().item())  # 2^0, on a grid from 2^-9
    assert (np.diff(found.noises, axis=1) > 0).all()


def test_small_noise_changes_no_answer_and_large_noise_all() -> None:
    found: Scattered = Evidence(cases.generalizer().subject(), recipe=RECIPE.but(steps=300), seed=1)["scattered"]
    assert found.seen[0, 0].mean() < 0.1
    assert found.seen[0, -1].mean() > found.seen[0, 0].mean() + 0.05
    assert found.fresh[0, 0].mean() > found.seen[0, 0].mean()


def test_fewer_than_two_samples_is_not_applicable() -> None:
    x, y = cases.generalizer().train
    with pytest.raises(NotApplicable, match="no two samples"):
        Evidence(cases.generalizer().subject(train=(x[:12], y[:12])), recipe=RECIPE)["scattered"]
