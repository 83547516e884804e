"""Spikes beyond the bulk: rare in noise, all found where they were planted, and the edge against the law's own."""

import numpy as np
import pytest
import torch
from tests import cases
from torch import nn

from heldout.engine.evidence.bulks import bulk_of
from heldout.engine.evidence.resolving import Evidence
from heldout.engine.evidence.spectra import random_singular_values
from heldout.engine.subject import Subject


def noise(shape: tuple[int, int], draws: int, seed: int) -> torch.Tensor:
    """Eigenvalues of Gaussian matrices."""
    rows = [random_singular_values(*shape, np.random.default_rng([seed, i])) ** 2 for i in range(draws)]
    return torch.from_numpy(np.stack(rows))


def one_by_one(eigenvalues: np.ndarray, rows: int, columns: int) -> tuple[int, float]:
    """Spikes and edge, typed from Johnstone 2001, Ma 2012 and Kritchman & Nadler 2008, one test after the other."""
    p, n = sorted((rows, columns))
    k = 0
    while k < p:
        q, r = p - k, n - k
        variance = eigenvalues[k:].mean() / r
        mu = (np.sqrt(r - 0.5) + np.sqrt(q - 0.5)) ** 2
        s = np.sqrt(mu) * (1 / np.sqrt(r - 0.5) + 1 / np.sqrt(q - 0.5)) ** (1 / 3)
        if eigenvalues[k] <= variance * (mu + 0.9793 * s):
            break
        k += 1
    return k, eigenvalues[k:].mean() / (n - k) * (np.sqrt(n - k) + np.sqrt(p - k)) ** 2


@pytest.mark.parametrize("shape", [(12, 16), (40, 40), (90, 30)])
def test_against_one_test_after_the_other(shape: tuple[int, int]) -> None:
    values = noise(shape, 6, 0)
    values[1, :3] *= 30.0
    values[2] = values[2] ** 3
    found = bulk_of(values, *shape)
    for member, row in enumerate(values.numpy()):
        spikes, edge = one_by_one(row, *shape)
        assert found.spikes[member].item() == spikes
        assert found.edge[member].item() == pytest.approx(edge, rel=1e-12)
        assert found.soft_rank[member].item() == pytest.approx(min(1.0, edge / row[0]), rel=1e-12)


@pytest.mark.parametrize("shape", [(20, 30), (100, 100)])
def test_noise_has_a_spike_in_about_one_case_of_twenty(shape: tuple[int, int]) -> None:
    # the ratio to the mean makes the test a little strict: of 1500 draws 75 or fewer are expected, 130 would be 6.5 deviations more
    found = bulk_of(noise(shape, 1500, 1), *shape)
    assert 15 < (found.spikes > 0).sum().item() < 130
    assert found.soft_rank.max() <= 1
    assert found.soft_rank.mean() > 0.9


def test_planted_directions_are_counted() -> None:
    generator = torch.Generator().manual_seed(2)
    left, right = (
        torch.linalg.qr(torch.randn(side, 3, generator=generator, dtype=torch.float64))[0] for side in (60, 100)
    )
    # noise of deviation 1 ends at sqrt(60) + sqrt(100) = 17.7; a planted value t above 60^(1/4) 100^(1/4) = 8.8 stands out
    signal = left * torch.tensor([40.0, 35.0, 30.0]) @ right.T
    planted = signal + torch.randn(200, 60, 100, generator=generator, dtype=torch.float64)
    found = bulk_of(torch.linalg.svdvals(planted).square(), 60, 100)
    assert (found.spikes >= 3).all()
    # the fourth test errs in one case of twenty: 10 of 200 expected, 30 would be 6.5 deviations more
    assert (found.spikes > 3).sum() < 30
    assert found.edge.mean().item() == pytest.approx((57**0.5 + 97**0.5) ** 2, rel=0.01)


def test_scale_does_not_matter_and_zeros_have_none() -> None:
    values = noise((20, 30), 3, 3)
    one, other = bulk_of(values, 20, 30), bulk_of(1e-12 * values, 20, 30)
    torch.testing.assert_close(one.spikes, other.spikes)
    torch.testing.assert_close(one.soft_rank, other.soft_rank)
    empty = bulk_of(torch.zeros(1, 12), 12, 15)
    assert empty.spikes.item() == 0
    assert empty.soft_rank.isnan().all()


def test_which_layers_have_a_bulk() -> None:
    network = nn.Sequential(
        nn.Conv1d(24, 24, 1, groups=2), nn.Conv1d(24, 12, 1), nn.Flatten(), nn.Linear(12, 14), nn.Linear(14, 3)
    )
    found = Evidence(Subject(network, train=(torch.randn(4, 24, 1), torch.arange(4) % 3)))["bulks"]
    assert list(found) == ["1.weight", "3.weight"]
    assert list(Evidence(cases.mlp().subject())["bulks"]) == ["2.weight"]
