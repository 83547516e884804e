"""Errors of drawn predictors against the exact Gibbs risk of linear classifiers, Phi(-margin / deviation) on each example."""

import numpy as np
import pytest
import torch
from scipy import stats
from tests import architectures
from torch import Tensor, nn

from heldout.engine.population import Population
from heldout.engine.posteriors import Gaussian, network_errors, per_draw, per_example
from heldout.engine.posteriors import draws as room
from heldout.engine.posteriors.dense import dense_layers
from heldout.engine.subject import Examples

SCALE = 0.8


class Hidden(nn.Module):
    """A linear classifier whose weight is not in a dense layer, so that weights must be drawn."""

    def __init__(self) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.zeros(1, 3)), nn.Parameter(torch.zeros(1))

    def forward(self, x: Tensor) -> Tensor:
        return x @ self.weight.T + self.bias


def classifiers(hidden: bool) -> Gaussian:
    """Two linear binary classifiers with noise in all weights."""
    population = Population([Hidden() if hidden else nn.Linear(3, 1) for _ in range(2)])
    generator = torch.Generator().manual_seed(4)
    parameters = {n: torch.randn(w.shape, generator=generator) for n, w in population.parameters.items()}
    return Gaussian.around(population.with_tensors(parameters, {}), SCALE)


def examples(n: int = 12) -> Examples:
    """Random inputs and labels."""
    generator = torch.Generator().manual_seed(2)
    return Examples(torch.randn(n, 3, generator=generator), torch.randint(2, (n,), generator=generator))


def chances(gaussian: Gaussian, data: Examples) -> np.ndarray:
    """Exact probability of an error on each example, ``[M, N]``."""
    rows = []
    for member in range(2):
        weight, bias = (tensor[member].double().numpy() for tensor in gaussian.centre.parameters.values())
        x, sign = data.x.double().numpy(), 2 * data.y.numpy() - 1
        margin = sign * (x @ weight[0] + bias)
        rows.append(stats.norm.cdf(-margin / (SCALE * np.sqrt((x**2).sum(1) + 1))))
    return np.stack(rows)


@pytest.mark.parametrize("hidden", [False, True])
def test_each_example_errs_with_its_exact_chance(hidden: bool) -> None:
    gaussian, data, draws = classifiers(hidden), examples(), 4000
    assert bool(dense_layers(gaussian.centre, data.x[:1])) is not hidden
    wrong = per_example(gaussian, data, draws=draws, binary=True, seed=0)
    assert wrong.shape == (2, draws, 12)
    exact = chances(gaussian, data)
    z = (wrong.double().mean(1).numpy() - exact) / np.sqrt(exact * (1 - exact) / draws)
    assert np.abs(z).max() < 6.0  # 24 normal deviations: fails below 1e-7


@pytest.mark.parametrize("hidden", [False, True])
def test_draws_of_different_examples_are_independent(hidden: bool) -> None:
    """On one example twelve times over, errors are twelve independent coins; one draw for all of them would err all or none."""
    gaussian, one, draws = classifiers(hidden), examples().take(slice(10, 11)), 4000  # neither error rare nor sure
    data = Examples(one.x.expand(12, -1), one.y.expand(12))
    chance = chances(gaussian, one)[:, 0]
    sums = per_example(gaussian, data, draws=draws, binary=True, seed=1).double().sum(2).numpy()
    ratio = sums.var(axis=1) / (12 * chance * (1 - chance))
    assert np.abs(ratio - 1).max() < 6 * np.sqrt(2.2 / draws)  # fails below 1e-7
    whole = per_draw(gaussian, data, draws=600, binary=True, seed=1).double().sum(2).numpy()
    assert set(whole.flatten().tolist()) == {0.0, 12.0}
    assert np.abs(whole.mean(1) / 12 - chance).max() < 6 * np.sqrt((chance * (1 - chance)).max() / 600)


def test_blocks_and_members_do_not_matter() -> None:
    gaussian, data = classifiers(False), examples(7)
    both = per_example(gaussian, data, draws=3, binary=True, seed=0)
    alone = Gaussian(
        gaussian.centre.with_tensors({n: t[1:] for n, t in gaussian.centre.parameters.items()}, {}),
        {n: t[1:] for n, t in gaussian.log_scales.items()},
    )
    assert torch.equal(per_example(alone, data, draws=3, binary=True, seed=0)[0], both[1])
    own = Examples(data.x.expand(2, -1, -1), data.y.expand(2, -1), x_per_member=True, y_per_member=True)
    assert torch.equal(per_example(gaussian, own, draws=3, binary=True, seed=0), both)
    assert not torch.equal(per_example(gaussian, data, draws=3, binary=True, seed=0, purpose="x"), both)


def test_a_narrow_gaussian_errs_where_its_network_does() -> None:
    torch.manual_seed(0)
    population = Population([architectures.cnn(), architectures.cnn()])
    data = Examples(torch.randn(10, 2, 6, 6), torch.arange(10) % 3)
    wrong = per_example(Gaussian.around(population, 1e-9), data, draws=2, binary=False, seed=0)
    assert torch.equal(wrong, network_errors(population, data, binary=False).unsqueeze(1).expand(2, 2, 10))
    one = per_draw(Gaussian.around(population, 1e-9), data, draws=2, binary=False, seed=0)
    assert torch.equal(one, wrong)


def test_whole_draws_are_the_same_however_they_are_stacked(monkeypatch: pytest.MonkeyPatch) -> None:
    gaussian, data = classifiers(False), examples(7)
    together = per_draw(gaussian, data, draws=5, binary=True, seed=0)
    monkeypatch.setattr(room, "BYTES", 1)
    assert torch.equal(per_draw(gaussian, data, draws=5, binary=True, seed=0), together)
    own = Examples(data.x.expand(2, -1, -1), data.y.expand(2, -1), x_per_member=True, y_per_member=True)
    monkeypatch.undo()
    assert torch.equal(per_draw(gaussian, own, draws=5, binary=True, seed=0), together)
    assert together.shape == (2, 5, 7)
