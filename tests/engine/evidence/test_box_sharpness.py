"""The rise of the loss in a box, where its maximum is known."""

import pytest
import torch
from torch import Tensor, nn

from heldout.engine.evidence.box_sharpness import rise_in_box
from heldout.engine.population import Population
from heldout.engine.subject import Examples, Loss
from heldout.engine.subject.losses import loss_named

DRAW = torch.Generator().manual_seed(5)
X = torch.randn(1, 4, generator=DRAW).double()


def linear() -> nn.Module:
    return nn.Linear(4, 1, bias=False).double()


def squares(outputs: Tensor, y: Tensor) -> Tensor:
    return (outputs.squeeze(-1) - y).square()


def test_of_one_squared_residual_it_is_known() -> None:
    population = Population.of(linear, 3, seed=1)
    y = torch.tensor([[0.5], [-2.0], [1.0]]).double()
    widths = {"weight": torch.rand(3, 1, 4, generator=DRAW).double()}
    found = rise_in_box(
        population, Examples(X, y, y_per_member=True), Loss(name="own", task="regression", per_example=squares), widths
    )
    for member in range(3):
        residual = abs(float(population.parameters["weight"][member, 0] @ X[0] - y[member, 0]))
        most = (residual + float(widths["weight"][member, 0] @ X[0].abs())) ** 2
        assert float(found.before[member]) == pytest.approx(residual**2, rel=1e-12)
        assert float(found.rise[member]) == pytest.approx(most - residual**2, rel=1e-12)


def test_of_a_linear_loss_one_gradient_is_enough_and_none_gives_nothing() -> None:
    population = Population.of(linear, 2, seed=1)
    data = Examples(X, torch.zeros(1).double())
    loss = Loss(name="own", task="regression", per_example=lambda outputs, y: 3 * outputs.squeeze(-1))
    widths = {"weight": torch.full((2, 1, 4), 0.1).double()}
    assert torch.allclose(rise_in_box(population, data, loss, widths, iterations=1).rise, 0.3 * X.abs().sum())
    assert bool((rise_in_box(population, data, loss, widths, iterations=0).rise == 0).all())
    assert bool((rise_in_box(population, data, loss, {}, iterations=3).rise == 0).all())


def test_a_member_alone_with_inputs_of_its_own_has_its_rise_of_the_population() -> None:
    population = Population.of(lambda: nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 3)).double(), 3, seed=1)
    x, y = torch.randn(3, 20, 4, generator=DRAW).double(), torch.randint(0, 3, (3, 20), generator=DRAW)
    loss = loss_named("cross-entropy", y)
    widths = {name: 0.05 * (w.abs() + 1) for name, w in population.parameters.items()}
    together = rise_in_box(population, Examples(x, y, True, True), loss, widths)
    alone = population.with_tensors({name: w[1:2] for name, w in population.parameters.items()}, {})
    own = rise_in_box(alone, Examples(x[1], y[1]), loss, {name: w[1:2] for name, w in widths.items()})
    torch.testing.assert_close(own.rise[0], together.rise[1], rtol=1e-12, atol=0)
    assert float(own.rise) > 0
