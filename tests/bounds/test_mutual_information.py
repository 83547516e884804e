"""Mutual information: Gaussian means, the infinite information of exact weights, and real networks."""

import math

import numpy as np
import pytest
from tests import cases

import heldout
from heldout.bounds.mutual_information import (
    input_output_cmi,
    mutual_information,
    noisy_individual_information,
    noisy_mutual_information,
)
from heldout.engine.evidence.scattering import Scattered
from heldout.engine.evidence.supersample import Supersampled
from heldout.engine.training import Recipe
from heldout.records import Status

NOISY = (noisy_mutual_information, noisy_individual_information)


def means(generator: np.random.Generator, *, n: int, d: int, samples: int, replaced: int, noise: float) -> Scattered:
    """Means of n standard Gaussians in d dimensions."""
    z, fresh = generator.normal(size=(samples, n, d)), generator.normal(size=(samples, replaced, d))
    w = z.mean(1)
    changed = w[:, None] + (fresh - z[:, :replaced]) / n
    apart = ((w[:, None] - w[None]) ** 2).sum(-1)
    moved = ((changed - w[:, None]) ** 2).sum(-1)
    losses = np.zeros((1, 1, samples))
    return Scattered(
        ("w",), np.array([float(d)]), apart[None, None], moved[None, None], np.full((1, 1), noise), losses, losses, n
    )


def test_the_mean_of_gaussians_is_recovered() -> None:
    n, d, noise = 20, 30, 0.1
    known = means(np.random.default_rng(1), n=n, d=d, samples=60, replaced=10, noise=noise)
    whole, single = (unit(known, log_delta=-3.0) for unit in NOISY)
    information = d / 2 * math.log(1 + 1 / (n * noise**2))
    assert whole.terms["information"] == pytest.approx([information], rel=0.03)  # 1800 squares: 3 % is 4.5 deviations
    assert whole.value == pytest.approx(np.sqrt(whole.terms["information"] / (2 * n)))
    one = d / 2 * math.log((1 / n + noise**2) / ((n - 1) / n**2 + noise**2))
    assert single.terms["information"] == pytest.approx([one], rel=0.1)
    assert single.value == pytest.approx(np.sqrt(single.terms["information"] / 2))
    assert single.value < whole.value  # as examples are independent
    wild = Scattered(known.names, known.sizes, known.apart, known.moved * 1e6, known.noises, known.seen, known.fresh, n)
    assert noisy_individual_information(wild, log_delta=-3.0).value == pytest.approx(whole.value)  # at most a share
    for said in (whole, single):
        assert said.steps == ()
        assert said.examples == n


def test_the_standard_error_is_that_of_samples() -> None:
    for unit in NOISY:
        said = [
            unit(means(np.random.default_rng([2, i]), n=5, d=2, samples=8, replaced=3, noise=0.3), log_delta=-3.0)
            for i in range(200)
        ]
        spread = np.std([one.value[0] for one in said])
        assert np.mean([one.terms["standard error"][0] for one in said]) == pytest.approx(spread, rel=0.35)


def test_the_noise_is_chosen_where_the_sum_is_smallest() -> None:
    known = means(np.random.default_rng(1), n=20, d=30, samples=6, replaced=2, noise=0.1)
    noises = np.array([[0.01, 0.1, 10.0]])
    seen = np.repeat(np.array([0.0, 0.05, 0.9])[None, :, None], 6, 2)
    grid = Scattered(known.names, known.sizes, known.apart, known.moved, noises, seen, seen + 0.01, 20)
    for unit in NOISY:
        said = unit(grid, log_delta=-3.0)
        each = [
            unit(
                Scattered(
                    known.names, known.sizes, known.apart, known.moved, noises[:, [g]], seen[:, [g]], seen[:, [g]], 20
                ),
                log_delta=-3.0,
            ).value[0]
            for g in range(3)
        ]
        assert said.value[0] == min(each)
        assert said.terms["noise"][0] == noises[0, int(np.argmin(each))]
        assert said.terms["gap that was seen"][0] == pytest.approx(0.01)


def test_exact_weights_tell_every_coin() -> None:
    coins = np.array([[0, 1, 0, 1], [1, 0, 1, 0]])
    right = Supersampled(np.zeros((1, 2, 4, 2), int), np.zeros((1, 4, 2), int), coins)
    said = input_output_cmi(right, log_delta=-3.0)
    assert said.value == pytest.approx([math.sqrt(2 * math.log(2))])
    assert said.terms["information"] == pytest.approx([4 * math.log(2)])
    assert said.terms["risk if interpolating"] == pytest.approx([1.0])
    wrong = Supersampled(np.ones((1, 2, 4, 2), int), np.zeros((1, 4, 2), int), coins)
    assert "risk if interpolating" not in input_output_cmi(wrong, log_delta=-3.0).terms


def test_exact_weights_have_no_number_and_private_ones_have() -> None:
    recipe = Recipe(optimizer="adam", lr=1e-2, batch_size=None, steps=40)
    members = [cases.generalizer(0), cases.memorizer(0)]
    found = heldout.certify(cases.together(members), families="information", recipe=recipe, delta=0.1, seed=2)
    assert "infinite" in found.absent["mutual-information"]
    assert "noisy-mutual-information" in found.absent["mutual-information"]
    for name in ("noisy-mutual-information", "noisy-individual-information", "input-output-cmi"):
        for one in found[name]:
            assert (one.status, one.delta, one.ledger) == (Status.ESTIMATE, 0, ())
            assert "no probability" in one.statement
    said = mutual_information(0.2, cases.together(members).train.y[None].double() * 0, log_delta=-3.0)
    assert said.value == pytest.approx([math.sqrt(0.2 * math.tanh(0.1) / 2)])
