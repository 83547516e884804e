"""Trained populations against the textbook loop, one network at a time, in float64."""

from typing import Any

import pytest
import torch
from tests.oracles import training as oracle
from torch import Tensor, nn

from heldout.engine.population import Population
from heldout.engine.subject import Examples
from heldout.engine.training import Plan, Recipe, errors, fit, members_of
from heldout.engine.training.batches import Batches
from heldout.records import Refusal

DRAW = torch.Generator().manual_seed(0)
X = torch.randn(48, 6, generator=DRAW).double()
Y = torch.randint(0, 3, (48,), generator=DRAW)
PLANS = (Plan(3), Plan(2, workers=2), Plan(1, workers=2, mapped=False), Plan(2, workers=2, compiled=True))


def plain() -> nn.Module:
    return nn.Sequential(nn.Linear(6, 7), nn.Tanh(), nn.Linear(7, 3)).double()


def normed() -> nn.Module:
    # a bias before batch norm has no gradient but rounding, which Adam would make as large as any other
    return nn.Sequential(nn.Linear(6, 7, bias=False), nn.BatchNorm1d(7), nn.ReLU(), nn.Linear(7, 3)).double()


def dropping() -> nn.Module:
    return nn.Sequential(nn.Linear(6, 7), nn.ReLU(), nn.Dropout(0.4), nn.Linear(7, 3)).double()


def order(recipe: Recipe, member: int, seed: int = 4) -> list[Tensor]:
    """The batches that a member saw."""
    batches = Batches.of(recipe, len(X), seed)
    if batches.whole:
        return [torch.arange(len(X))] * recipe.steps
    return list(batches.at([member], [member], 0, recipe.steps)[:, 0])


def furthest(population: Population, member: int, module: nn.Module) -> float:
    """Largest difference between a member's tensors and a module's."""
    reference = {**dict(module.named_parameters()), **dict(module.named_buffers())}
    mine = {**population.parameters, **population.buffers}
    return max(float((mine[name][member] - reference[name].detach()).abs().max()) for name in mine)


@pytest.mark.parametrize(
    ("optimizer", "fields", "settings"),
    [
        ("sgd", {"momentum": 0.0}, {}),
        ("sgd", {"momentum": 0.8, "weight_decay": 0.03}, {"momentum": 0.8, "weight_decay": 0.03}),
        ("sgd", {"momentum": 0.8, "nesterov": True}, {"momentum": 0.8, "nesterov": True}),
        ("gradient-descent", {"momentum": 0.5}, {"momentum": 0.5}),
        ("adam", {"weight_decay": 0.02}, {"weight_decay": 0.02}),
        ("adamw", {"weight_decay": 0.3, "betas": (0.8, 0.95), "epsilon": 1e-4},
         {"weight_decay": 0.3, "betas": (0.8, 0.95), "eps": 1e-4}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("make", [plain, normed])
def test_every_optimizer_is_torch_s(optimizer: str, fields: Any, settings: Any, make: Any) -> None:
    recipe = Recipe(optimizer=optimizer, lr=0.05, batch_size=10, steps=25, schedule="cosine", warmup=5, **fields)
    initial = Population.of(make, 3, seed=1)
    final = fit(initial, (X, Y), recipe, seed=4, plan=Plan(3)).final
    rates = [0.05 * recipe.rate_factor(step) for step in range(25)]
    for member in range(3):
        reference = oracle.trained(initial.member(member), X, Y, order(recipe, member), optimizer, rates, **settings)
        assert furthest(final, member, reference) < 1e-12


def test_sam_takes_its_two_gradients() -> None:
    recipe = Recipe(optimizer="sam", lr=0.05, momentum=0.0, rho=0.2, batch_size=10, steps=12)
    initial = Population.of(plain, 2, seed=1)
    final = fit(initial, (X, Y), recipe, seed=4, plan=Plan(2)).final
    for member in range(2):
        reference = oracle.sharpness_aware(initial.member(member), X, Y, order(recipe, member), 0.05, 0.2)
        assert furthest(final, member, reference) < 1e-10


def test_squared_error_and_a_callable_are_trained_on_targets() -> None:
    targets = X[:, :3].tanh()
    initial = Population.of(plain, 2, seed=1)
    named = Recipe(lr=0.1, batch_size=12, steps=10, loss="squared-error")
    own = named.but(loss=lambda outputs, y: (outputs - y).square().mean(-1))
    final = fit(initial, (X, targets), named, seed=4, plan=Plan(2)).final
    again = fit(initial, (X, targets), own, seed=4, plan=Plan(2)).final
    reference = oracle.trained(initial.member(1), X, targets, order(named, 1), "sgd", [0.1] * 10, momentum=0.9)
    assert furthest(final, 1, reference) < 1e-12
    assert furthest(again, 1, reference) < 1e-12


@pytest.mark.parametrize("make", [plain, normed, dropping])
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_a_member_follows_the_trajectory_that_it_has_alone_under_every_plan(make: Any, optimizer: str) -> None:
    initial = Population.of(make, 3, seed=2)
    recipe = Recipe(optimizer=optimizer, lr=[0.01, 0.02, 0.03], label_noise=[0.0, 0.2, 0.6], batch_size=9, steps=100)
    alone = fit(
        members_of(initial, [2]), (X, Y), recipe.for_members([2]), seed=7, numbers=[2], plan=Plan(1, mapped=False)
    ).final
    for plan in PLANS:
        final = fit(initial, (X, Y), recipe, seed=7, plan=plan).final
        for name in final.parameters:
            assert float((final.parameters[name][2] - alone.parameters[name][0]).abs().max()) < 1e-10, (plan, name)


def test_the_same_plan_gives_the_same_bits() -> None:
    recipe = Recipe(lr=0.05, batch_size=9, steps=30)
    initial = Population.of(dropping, 3, seed=2)
    for plan in PLANS:
        one, two = (fit(initial, (X, Y), recipe, seed=7, plan=plan).final for _ in range(2))
        assert all(torch.equal(one.parameters[name], two.parameters[name]) for name in one.parameters)


def test_arrived_members_leave_the_stack_and_stay_as_they_arrived() -> None:
    recipe = Recipe(
        lr=[0.3, 0.03, 0.0], batch_size=12, steps=120, stop=("loss", "fit"), target_loss=0.5, check_every=10
    )
    data = X, (X[:, 0] > 0).long()
    initial = Population.of(plain, 3, seed=2)
    seen: dict[int, Population] = {}
    fitted = fit(initial, data, recipe, seed=7, at=[0, 40, 120], on_record=seen.__setitem__, plan=Plan(2, workers=2))
    assert fitted.reason == ("loss+fit", fitted.reason[1], "steps")
    assert int(fitted.step[0]) < int(fitted.step[2]) == 120
    assert int(fitted.step[0]) % 10 == 0
    assert float(errors(fitted.final, *data)[0]) == 0
    assert sorted(seen) == [0, 40, 120]
    assert torch.equal(seen[0].parameters["0.weight"], initial.parameters["0.weight"])
    for name in initial.parameters:
        assert torch.equal(fitted.final.parameters[name][2], initial.parameters[name][2])  # its rate is 0
    shorter = fit(initial, data, recipe.but(stop="steps", steps=int(fitted.step[0])), seed=7, plan=Plan(2, workers=2))
    for name in initial.parameters:
        assert torch.allclose(fitted.final.parameters[name][0], shorter.final.parameters[name][0], rtol=0, atol=1e-12)


def test_a_plateau_ends_a_training() -> None:
    fitted = fit(
        Population.of(plain, 2), (X, Y), Recipe(lr=[0.0, 0.05], steps=60, stop="plateau", patience=2, check_every=5, batch_size=16),
        plan=Plan(2),
    )  # fmt: skip
    assert fitted.reason[0] == "plateau"
    assert int(fitted.step[0]) == 15  # the first look sets the mark, two more see no progress


def test_a_member_whose_loss_is_not_finite_is_stopped_and_the_others_go_on() -> None:
    recipe = Recipe(lr=[0.05, 1e200, 0.05], momentum=0.0, loss="squared-error", batch_size=12, steps=50, check_every=10)
    initial = Population.of(plain, 3, seed=2)
    fitted = fit(initial, (X, X[:, :3]), recipe, plan=Plan(3))
    assert fitted.reason == ("steps", "not finite", "steps")
    assert int(fitted.step[1]) == 10
    without = fit(members_of(initial, [2]), (X, X[:, :3]), recipe.for_members([2]), numbers=[2], plan=Plan(1)).final
    assert torch.allclose(fitted.final.parameters["0.weight"][2], without.parameters["0.weight"][0], atol=1e-12)


def test_weights_that_the_last_step_spoils_are_seen() -> None:
    recipe = Recipe(lr=[0.1, 3e38], momentum=0.0, batch_size=12, steps=1)
    initial = Population.of(lambda: nn.Linear(6, 3), 2, seed=1)
    fitted = fit(initial, (X.float() * 1e3, Y), recipe, plan=Plan(2))
    assert fitted.reason == ("steps", "not finite")
    assert not bool(torch.isfinite(fitted.final.parameters["weight"][1]).all())


def test_frozen_layers_and_frozen_batch_norm_stay() -> None:
    def make() -> nn.Module:
        network = normed()
        network[0].weight.requires_grad_(False)  # type: ignore[index]
        return network

    initial = Population.of(make, 2, seed=1)
    final = fit(initial, (X, Y), Recipe(batch_size=12, steps=5, batch_norm="frozen"), plan=Plan(2)).final
    assert torch.equal(final.parameters["0.weight"], initial.parameters["0.weight"])
    assert torch.equal(final.buffers["1.running_mean"], initial.buffers["1.running_mean"])
    assert not torch.equal(final.parameters["3.weight"], initial.parameters["3.weight"])


@pytest.mark.parametrize("plan", PLANS)
def test_frozen_layers_are_each_members_own(plan: Plan) -> None:
    def make() -> nn.Module:
        network = plain()
        network[0].requires_grad_(False)  # type: ignore[index]
        return network

    initial = Population.of(make, 3, seed=1)
    final = fit(initial, (X, Y), Recipe(batch_size=12, steps=10, lr=0.3), plan=plan).final
    for member in range(3):
        alone = fit(
            members_of(initial, [member]), (X, Y), Recipe(batch_size=12, steps=10, lr=0.3), numbers=[member],
            plan=Plan(1),
        ).final  # fmt: skip
        assert torch.allclose(final.parameters["2.weight"][member], alone.parameters["2.weight"][0], atol=1e-12)


def test_inputs_and_labels_of_its_own_reach_each_member() -> None:
    x, y = torch.stack([X, X.flip(1)]), torch.stack([Y, Y.flip(0)])
    initial = Population.of(plain, 2, seed=1)
    recipe = Recipe(batch_size=12, steps=8)
    final = fit(initial, Examples(x, y, x_per_member=True, y_per_member=True), recipe, seed=4, plan=Plan(2)).final
    reference = oracle.trained(initial.member(1), x[1], y[1], order(recipe, 1), "sgd", [0.1] * 8, momentum=0.9)
    assert furthest(final, 1, reference) < 1e-12


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"batch_size": 49}, "batch_size"),
        ({"subset": 50}, "subset"),
        ({"lr": [0.1, 0.2]}, "lr"),
        ({"label_noise": 0.5, "loss": "squared-error", "batch_size": 12}, "label_noise"),
        ({"loss": "hinge"}, "loss"),
    ],
)
def test_what_does_not_fit_is_refused_before_the_first_step(fields: Any, word: str) -> None:
    y = X[:, :3] if fields.get("loss") == "squared-error" else Y
    with pytest.raises(Refusal, match=word):
        fit(Population.of(plain, 3), (X, y), Recipe(steps=1).but(**fields))


def test_nan_in_the_data_and_empty_data_are_refused() -> None:
    with pytest.raises(Refusal, match="NaN"):
        fit(Population.of(plain, 1), (X.masked_fill(X > 2, torch.nan), Y), Recipe(steps=1))
    with pytest.raises(Refusal, match="no examples"):
        fit(Population.of(plain, 1), (X[:0], Y[:0]), Recipe(steps=1))


def test_dropout_inside_a_fused_kernel_is_refused() -> None:
    with pytest.raises(Refusal, match="fused"):
        fit(
            Population.of(lambda: nn.LSTM(6, 3, num_layers=2, dropout=0.5), 1),
            (X, Y),
            Recipe(steps=1, batch_size=4),
        )
