"""Checks that every intervention goes through: one step by hand, the same alone and together, compiled and not."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from heldout.engine.population import Population
from heldout.engine.training import Intervention, Plan, Recipe, fit, members_of

DRAW = torch.Generator().manual_seed(0)
X = torch.randn(36, 6, generator=DRAW).double()
Y = torch.randint(0, 3, (36,), generator=DRAW)


def network() -> nn.Module:
    return nn.Sequential(nn.Linear(6, 7), nn.Tanh(), nn.Linear(7, 3)).double()


def normed() -> nn.Module:
    return nn.Sequential(nn.Linear(6, 7, bias=False), nn.BatchNorm1d(7), nn.ReLU(), nn.Linear(7, 3)).double()


def goes_through(
    piece: Intervention,
    make: Callable[[], nn.Module] = network,
    *,
    compiled: bool = True,
    of_the_second: Intervention | None = None,
) -> None:
    """A member alone follows its trajectory of the population, under every kind of plan; and the piece changes something."""
    initial = Population.of(make, 3, seed=2)
    recipe = Recipe(lr=0.1, batch_size=12, steps=15, interventions=(piece,))
    together = fit(initial, (X, Y), recipe, seed=7, plan=Plan(3)).final
    own = recipe if of_the_second is None else recipe.but(interventions=(of_the_second,))
    alone = fit(members_of(initial, [1]), (X, Y), own, seed=7, numbers=[1], plan=Plan(1, mapped=False)).final
    plain = fit(initial, (X, Y), recipe.but(interventions=()), seed=7, plan=Plan(3)).final
    for name in initial.parameters:
        torch.testing.assert_close(together.parameters[name][1], alone.parameters[name][0], rtol=0, atol=1e-10)
    assert any(not torch.allclose(together.parameters[n], plain.parameters[n], atol=1e-6) for n in initial.parameters)
    if compiled:
        native = fit(initial, (X, Y), recipe, seed=7, plan=Plan(3, compiled=True)).final
        for name in initial.parameters:
            torch.testing.assert_close(together.parameters[name], native.parameters[name], rtol=0, atol=1e-10)


def first_step(
    piece: Intervention, make: Callable[[], nn.Module] = network, lr: float = 0.1
) -> tuple[nn.Module, dict[str, Tensor]]:
    """The untrained network, and the change of its weights after one plain step on all data, divided by minus the rate."""
    initial = Population.of(make, 1, seed=2)
    recipe = Recipe(lr=lr, momentum=0.0, batch_size=None, steps=1, interventions=(piece,))
    final = fit(initial, (X, Y), recipe, seed=7, plan=Plan(1)).final
    moved = {name: (initial.parameters[name][0] - final.parameters[name][0]) / lr for name in initial.parameters}
    return initial.member(0).train(), moved


def gradients(loss: Tensor, module: nn.Module) -> dict[str, Tensor]:
    """By autograd, of an ordinary module."""
    names, weights = zip(*module.named_parameters(), strict=True)
    return dict(zip(names, torch.autograd.grad(loss, weights), strict=True))


def close(ours: dict[str, Tensor], theirs: dict[str, Tensor], tolerance: float = 1e-10) -> None:
    assert set(ours) == set(theirs)
    for name, tensor in ours.items():
        torch.testing.assert_close(tensor, theirs[name], rtol=0, atol=tolerance)
