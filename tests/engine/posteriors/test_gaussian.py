"""Divergences, densities and draws of Gaussians over weights against SciPy's normal law."""

import math

import numpy as np
import pytest
import torch
from scipy import stats
from torch import nn

from heldout.engine.population import Population
from heldout.engine.posteriors import Gaussian, divergence, drawn, log_ratio
from heldout.records import Refusal


def networks(members: int = 2) -> Population:
    """Small networks with a batch norm, so that there are buffers."""
    return Population.of(lambda: nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2)), members, seed=3)


def spread(centre: Population, seed: int) -> Gaussian:
    """A scale of its own for every weight."""
    generator = torch.Generator().manual_seed(seed)
    return Gaussian(
        centre,
        {
            n: torch.randn(w.shape, generator=generator, dtype=torch.float64) * 0.3 - 2
            for n, w in centre.parameters.items()
        },
    )


def flat(gaussian: Gaussian, member: int) -> tuple[np.ndarray, np.ndarray]:
    """Means and deviations of one member in one vector each."""
    means = [w[member].double().flatten() for w in gaussian.centre.parameters.values()]
    scales = [
        gaussian.log_scales[n].exp().expand_as(w)[member].flatten() for n, w in gaussian.centre.parameters.items()
    ]
    return torch.cat(means).numpy(), torch.cat(scales).numpy()


def test_the_divergence_is_the_formula_typed_from_the_digest() -> None:
    posterior, prior = spread(networks(), 0), spread(networks(), 1)
    moved = {name: weight + 0.1 for name, weight in prior.centre.parameters.items()}
    prior = Gaussian(prior.centre.with_tensors(moved, prior.centre.buffers), prior.log_scales)
    found = divergence(posterior, prior)
    for member in range(2):
        (mu, sigma), (m, s) = flat(posterior, member), flat(prior, member)
        each = 0.5 * (np.log(s**2 / sigma**2) + (mu - m) ** 2 / s**2 + sigma**2 / s**2 - 1)
        assert found[member].item() == pytest.approx(each.sum(), rel=1e-12)
    assert divergence(posterior, posterior).tolist() == [0.0, 0.0]


def test_the_log_ratio_is_that_of_the_normal_densities() -> None:
    posterior, prior = spread(networks(), 0), spread(networks(), 1)
    one = drawn(posterior, 1, seed=5)
    for member in range(2):
        at = torch.cat([w[member].double().flatten() for w in one.parameters.values()]).numpy()
        (mu, sigma), (m, s) = flat(posterior, member), flat(prior, member)
        expected = stats.norm.logpdf(at, mu, sigma).sum() - stats.norm.logpdf(at, m, s).sum()
        assert log_ratio(posterior, prior, one)[member].item() == pytest.approx(expected, rel=1e-9)


def test_the_log_ratio_is_the_divergence_on_average() -> None:
    posterior, prior = spread(networks(1), 0), spread(networks(1), 1)
    ratios = torch.stack([log_ratio(posterior, prior, drawn(posterior, 1, seed=seed))[0] for seed in range(400)])
    error = (ratios.std() / math.sqrt(400)).item()
    assert abs(ratios.mean().item() - divergence(posterior, prior)[0].item()) < 5.2 * error  # fails below 1e-6


def test_draws_are_a_population_of_members_times_draws() -> None:
    gaussian = spread(networks(), 0)
    many = drawn(gaussian, 300, seed=1)
    assert len(many) == 600
    for name, mean in gaussian.centre.parameters.items():
        scale = gaussian.log_scales[name].exp()
        standard = (many.parameters[name].reshape(2, 300, *mean.shape[1:]).double() - mean.double()[:, None]) / scale[
            :, None
        ]
        size = standard[0].numel()
        assert abs(standard[0].mean().item()) < 5.2 / math.sqrt(size)
        assert abs(standard[0].var().item() - 1) < 5.2 * math.sqrt(2 / size)
    assert many.buffers["1.running_var"].shape == (600, 4)
    again, other = drawn(gaussian, 1, seed=1), drawn(gaussian, 1, seed=1, purpose="another")
    assert torch.equal(again.parameters["0.weight"][0], many.parameters["0.weight"][0])
    assert not torch.equal(again.parameters["0.weight"], other.parameters["0.weight"])


def test_scales_of_layers() -> None:
    centre = networks()
    same = Gaussian.around(centre, torch.tensor([0.1, 0.2]))
    assert same.log_scales["0.weight"].shape == (2, 1, 1)
    assert same.log_scales["0.weight"].exp().flatten().tolist() == pytest.approx([0.1, 0.2])
    relative = Gaussian.relative(centre, 0.5)
    size = centre.parameters["0.weight"][1].double().square().mean().sqrt().item()
    assert relative.log_scales["0.weight"][1].exp().item() == pytest.approx(0.5 * size)
    everything = torch.cat([w[0].double().flatten() for w in centre.parameters.values()])
    floor = (
        0.05 * everything.square().mean().sqrt().item()
    )  # the batch norm's shift is zero: a tenth of all weights' size
    assert relative.log_scales["1.bias"][0].exp().item() == pytest.approx(floor)


@pytest.mark.parametrize("scale", [0.0, float("inf"), float("nan")])
def test_a_posterior_without_variance_is_refused(scale: float) -> None:
    with pytest.raises(
        Refusal, match=r"standard deviation of '0.weight' was zero or not finite; expected a positive one"
    ):
        Gaussian.around(networks(), scale)


def test_a_posterior_without_a_scale_is_refused() -> None:
    with pytest.raises(Refusal, match="was not given"):
        Gaussian(networks(), {})
