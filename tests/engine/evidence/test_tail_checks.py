"""The bootstrap of tails: uniform p-values under the law, small ones under another, and its errors."""

import numpy as np
import pytest
import torch
from tests import cases
from tests.oracles import tails as oracle

from heldout.engine.evidence import tail_checks as module
from heldout.engine.evidence.resolving import Evidence
from heldout.engine.evidence.tail_checks import check_tail
from heldout.engine.evidence.tails import fit_tail


def generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def pareto(members: int, count: int, seed: int) -> torch.Tensor:
    return torch.from_numpy((1 - np.random.default_rng(seed).random((members, count))) ** (-1 / 1.5))


def test_p_values_are_spread_out_under_the_law() -> None:
    # mean of 40 p-values that are nearly uniform: 1/2 with error 0.29 / sqrt(40) = 0.046; 6 errors are 0.27
    values = pareto(40, 60, 0)
    check = check_tail(values, fit_tail(values), generator(0), draws=40)
    assert abs(check.p_value.mean().item() - 0.5) < 0.27
    assert check.p_value.min() < 0.25
    assert check.p_value.max() > 0.75


def test_a_law_that_is_none_is_refused() -> None:
    # two clumps far apart: no power law leaves such a gap
    values = torch.cat([torch.linspace(1, 1.05, 60), torch.linspace(50, 51, 60)]).double()[None]
    check = check_tail(values, fit_tail(values, fewest=10)._replace(), generator(1), draws=60)
    law = fit_tail(values)
    assert check.p_value.item() < 0.1 or law.size.item() < 70


def test_against_a_loop_over_draws() -> None:
    values = torch.cat([torch.linspace(0.2, 1, 8).double(), pareto(1, 22, 2)[0]])[None]
    tail = fit_tail(values)
    check = check_tail(values, tail, generator(3), draws=25)
    random = generator(3)
    coins, uniforms = (torch.rand(25, 30, generator=random, dtype=torch.float64).numpy() for _ in "ab")
    law = oracle.fit(values[0].tolist())
    below = sorted((v for v in values[0].tolist() if v < law.start), reverse=True)
    distances, alphas = [], []
    for coin, u in zip(coins, uniforms, strict=True):
        drawn = [
            law.start * (1 - v) ** (-1 / (law.alpha - 1)) if c * 30 < law.size else below[int(v * len(below))]
            for c, v in zip(coin, u, strict=True)
        ]
        again = oracle.fit(drawn)
        distances.append(again.distance)
        alphas.append(again.alpha)
    share = np.mean(np.array(distances) >= law.distance)
    assert check.p_value.item() == pytest.approx(share)
    assert check.p_value_error.item() == pytest.approx(np.sqrt(share * (1 - share) / 25))
    assert check.alpha_error.item() == pytest.approx(np.std(alphas, ddof=1), rel=1e-9)


def test_the_error_of_a_long_tail_is_near_the_formula() -> None:
    # xmin chosen anew adds to (alpha - 1) / sqrt(n) and cannot take away much of it
    values = pareto(1, 400, 4)
    tail = fit_tail(values)
    check = check_tail(values, tail, generator(5), draws=60)
    assert 0.6 < check.alpha_error.item() / tail.standard_error.item() < 4


@pytest.mark.parametrize("together", [1, 100])
def test_chunks_and_company_change_nothing(together: int, monkeypatch: pytest.MonkeyPatch) -> None:
    values = torch.cat([pareto(2, 20, 6), torch.ones(1, 20)])
    whole = check_tail(values, fit_tail(values), generator(7), draws=12)
    monkeypatch.setattr(module, "TOGETHER", together)
    for one, other in zip(check_tail(values, fit_tail(values), generator(7), draws=12), whole, strict=True):
        assert torch.equal(one.nan_to_num(-1), other.nan_to_num(-1))
    for one, other in zip(check_tail(values[1:2], fit_tail(values[1:2]), generator(7), draws=12), whole, strict=True):
        assert torch.equal(one, other[1:2])
    assert whole.p_value[2].isnan()
    assert whole.alpha_error[2].isnan()


def test_zeros_take_no_part() -> None:
    values = torch.cat([pareto(1, 15, 8), torch.zeros(1, 5)], dim=1)
    check = check_tail(values, fit_tail(values), generator(9), draws=10)
    assert check.p_value.isfinite().all()


def test_evidence_follows_the_seed() -> None:
    checks = [Evidence(cases.mlp().subject(), seed=seed)["tail_checks"]["2.weight"] for seed in (0, 0, 1)]
    assert torch.equal(checks[0].alpha_error, checks[1].alpha_error)
    assert not torch.equal(checks[0].alpha_error, checks[2].alpha_error)
