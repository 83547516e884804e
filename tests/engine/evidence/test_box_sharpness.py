"""The rise of the loss in a box, where its maximum is known."""

import pytest
import torch
from torch import Tensor, nn

from heldout.engine.evidence.box_sharpness import highest_in_box, rise_in_box
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


def linear_loss(outputs: Tensor, _y: Tensor) -> tuple[Tensor, Tensor]:
    mean = outputs.mean()
    return mean, mean


def test_strides_and_start_of_the_ascent() -> None:
    population = Population.of(linear, 2, seed=1)
    data, widths = Examples(X, torch.zeros(1)), {"weight": torch.full((2, 1, 4), 0.1).double()}
    start = {"weight": torch.full((1, 4), -1.0)}
    before = highest_in_box(population, data, linear_loss, {}, strides=[])
    reach = 0.1 * X.abs().sum()
    for strides, share in (([], None), ([0.5], 0.5), ([0.5, 0.25], 0.75), ([2.0, 2.0], 1.0)):
        found = highest_in_box(population, data, linear_loss, widths, strides=strides)
        torch.testing.assert_close(found.judged - before.judged, (share or 0.0) * reach.expand(2), rtol=1e-7, atol=1e-9)
        moved = (found.place["weight"] - population.parameters["weight"]).abs()
        torch.testing.assert_close(moved, torch.full_like(moved, 0.1 * (share or 0.0)), rtol=1e-7, atol=1e-9)
    low = highest_in_box(population, data, linear_loss, widths, strides=[], start=start)
    torch.testing.assert_close(low.first - before.first, -0.1 * X.sum().expand(2), rtol=1e-7, atol=1e-9)
    assert torch.equal(low.first, low.judged)


def test_what_is_climbed_and_what_is_judged_may_differ() -> None:
    population = Population.of(linear, 1, seed=1)
    widths = {"weight": torch.ones(1, 1, 4).double()}

    def downhill(outputs: Tensor, _y: Tensor) -> tuple[Tensor, Tensor]:
        return -outputs.mean(), outputs.mean()

    found = highest_in_box(population, Examples(X, torch.zeros(1)), downhill, widths, strides=[1.0, 1.0])
    assert torch.equal(found.judged, found.first)  # the highest of what was seen is the beginning
    assert torch.equal(found.place["weight"], population.parameters["weight"])


def test_one_network_after_the_other_where_vectorising_fails() -> None:
    class Branching(nn.Linear):
        def forward(self, x: Tensor) -> Tensor:
            return super().forward(x) if x.shape[0] and bool((self.weight.sum() * 0 == 0).item()) else x

    torch.manual_seed(0)
    networks = [Branching(4, 3).double() for _ in range(3)]
    plain = [nn.Linear(4, 3).double() for _ in networks]
    for one, other in zip(plain, networks, strict=True):
        one.load_state_dict(other.state_dict())
    x, y = torch.randn(9, 4, generator=DRAW).double(), torch.arange(9) % 3
    data, loss = Examples(x, y), loss_named("cross-entropy", y)
    rises = []
    for population in (Population(networks), Population(plain)):
        widths = {name: 0.1 * torch.ones_like(w) for name, w in population.parameters.items()}
        rises.append(rise_in_box(population, data, loss, widths).rise)
    torch.testing.assert_close(*rises, rtol=1e-12, atol=0)
