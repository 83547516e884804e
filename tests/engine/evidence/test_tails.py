"""Tail fits against a loop over all starts, against known laws, and with ties, zeros and chunks."""

import numpy as np
import pytest
import torch
from tests import cases
from tests.oracles import tails as oracle

from heldout.engine.evidence import tails as module
from heldout.engine.evidence.resolving import Evidence
from heldout.engine.evidence.tails import fit_tail


def spectra(count: int) -> torch.Tensor:
    """A heavy tail, a random matrix, and a body with one outlier."""
    generator = np.random.default_rng(0)
    pareto = (1 - generator.random(count)) ** -0.7
    wishart = np.linalg.svd(generator.standard_normal((count, 2 * count)), compute_uv=False) ** 2
    outlier = np.concatenate([generator.random(count - 1), [50.0]])
    return torch.from_numpy(np.stack([pareto, wishart, outlier]))


@pytest.mark.parametrize("count", [2, 10, 57, 300])
def test_fits_agree_with_the_loop(count: int) -> None:
    values = spectra(count)
    found = fit_tail(values)
    for member, row in enumerate(values):
        law = oracle.fit(row.tolist())
        assert [float(field[member]) for field in found] == pytest.approx(list(law), rel=1e-9)


def test_the_exponent_of_a_known_law_is_found() -> None:
    # p(x) ~ x^-2.5 from 1 on: within 6 of the 0.0106 standard errors, failure probability below 1e-8 were the seed free
    values = torch.from_numpy((1 - np.random.default_rng(1).random(20_000)) ** (-1 / 1.5))[None]
    found = fit_tail(values[:, :4000])
    assert abs(found.alpha.item() - 2.5) < 6 * found.standard_error.item()
    assert found.distance.item() < 0.03


@pytest.mark.parametrize("block", [1, 500, 2**30])
def test_blocks_and_company_change_nothing(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    values = spectra(100)
    expected = fit_tail(values)
    monkeypatch.setattr(module, "BLOCK", block)
    for one, other in zip(fit_tail(values), expected, strict=True):
        assert torch.equal(one, other)
    for one, other in zip(fit_tail(values[1:2]), expected, strict=True):
        assert torch.equal(one, other[1:2])


def test_scale_moves_the_start_alone() -> None:
    values = spectra(80)
    one, other = fit_tail(values), fit_tail(1e-12 * values)
    torch.testing.assert_close(other.alpha, one.alpha)
    torch.testing.assert_close(other.start, 1e-12 * one.start)


def test_zeros_of_a_deficient_layer_take_no_part() -> None:
    values = spectra(60)
    padded = torch.cat([values, torch.zeros(3, 40), 1e-13 * values[:, :5]], dim=1)
    for one, other in zip(fit_tail(padded), fit_tail(values), strict=True):
        torch.testing.assert_close(one, other)


def test_equal_eigenvalues_have_no_tail() -> None:
    assert fit_tail(torch.ones(1, 30)).alpha.isnan().all()
    assert fit_tail(torch.zeros(1, 30)).alpha.isnan().all()


def test_too_few_eigenvalues_have_no_tail() -> None:
    values = torch.cat([spectra(9), torch.zeros(3, 30)], dim=1)
    assert fit_tail(values, fewest=10).alpha.isnan().all()
    assert fit_tail(values, fewest=9).alpha.isfinite().all()


def test_short_layers_are_left_out() -> None:
    evidence = Evidence(cases.mlp().subject())
    assert list(evidence["tails"]) == list(evidence["tails_at_random"]) == ["2.weight"]  # 12 of 8, 12 and 3 eigenvalues
    law = oracle.fit(evidence["spectra"]["2.weight"][0].square().tolist())
    assert evidence["tails"]["2.weight"].alpha.item() == pytest.approx(law.alpha, rel=1e-9)
    law = oracle.fit(evidence["block_spectra_at_random"]["2.weight"][0].square().tolist())
    assert evidence["tails_at_random"]["2.weight"].alpha.item() == pytest.approx(law.alpha, rel=1e-9)
