"""The out-of-fold increment: genuine signals have one, proxies of the design and noise have none, lonely seeds no value."""

import numpy as np
import pytest
from tests.criteria.ledgers import grid

from heldout.criteria.out_of_fold_increment import out_of_fold_increment
from heldout.engine.judging import designed


def test_signal_proxy_and_noise() -> None:
    design, draws = grid((3, 3, 3), 4), np.random.default_rng(0)
    effect = design.codes @ np.array([0.04, -0.02, 0.01]) + 0.02 * design.codes[:, 0] * design.codes[:, 1]
    gap = effect + 0.03 * draws.normal(size=design.networks)
    noise = draws.normal(size=(3, design.networks))
    measures = np.stack([gap + 0.01 * noise[0], effect, effect + 0.001 * noise[1], noise[2], -gap])
    found = out_of_fold_increment(measures, gap, design, 0)
    value, error = found["value"], found["standard-error"]
    assert value[0] > 0.4
    assert value[4] > 0.5  # it sees the size of what is known, not its direction
    assert (value[1:4] < 3 * error[1:4] + 0.02).all()


def test_false_increments_are_rare() -> None:
    # 60 measures that know nothing of single networks, noise and bent proxies: at z > 3 about none is to be expected
    design, draws = grid((3, 3, 3), 3), np.random.default_rng(1)
    curve = np.sin(2.0 * design.codes).sum(1)
    gap = 0.1 * curve + 0.03 * draws.normal(size=design.networks)
    noisy = draws.normal(size=(20, design.networks))
    proxies = curve**2 + np.geomspace(1e-3, 1, 20)[:, None] * draws.normal(size=(20, design.networks))
    found = out_of_fold_increment(np.concatenate([noisy, proxies]), gap, design, 0)
    assert ((found["value"] / found["standard-error"]) > 3).sum() <= 1


def test_one_seed_a_configuration_has_no_increment_and_the_seed_moves_it_a_little() -> None:
    lonely, draws = grid((3, 3, 3), 1), np.random.default_rng(2)
    assert np.isnan(out_of_fold_increment(draws.normal(size=(2, 27)), draws.normal(size=27), lonely, 0)["value"]).all()
    design = grid((3, 3, 3), 2)
    gap = draws.normal(size=54)
    first, again, other = (out_of_fold_increment(gap[None], gap, design, seed)["value"][0] for seed in (0, 0, 1))
    assert first == again != other
    assert other == pytest.approx(first, abs=0.3)


def test_ten_configurations_with_seeds_among_many_without_fill_every_fold() -> None:
    codes = np.concatenate([np.arange(60), np.arange(10)])
    design, draws = designed({"width": codes}), np.random.default_rng(0)
    gap = draws.normal(size=70)
    for seed in range(4):
        assert np.isfinite(out_of_fold_increment(gap[None], gap, design, seed)["value"]).all()
