"""Learning rates layer by layer."""

import pytest
import torch
import torch.nn.functional as F
from tests.interventions.steps import X, Y, close, first_step, goes_through, gradients, network

from heldout.engine.population import Population
from heldout.engine.training import Plan, Recipe, fit
from heldout.interventions.layer_rates import layer_rates
from heldout.records import Refusal


def test_the_first_pattern_that_matches_holds() -> None:
    module, moved = first_step(layer_rates(factors={"0.bias": 0.0, "0.*": 0.25}))
    plain = gradients(F.cross_entropy(module(X), Y), module)
    factors = {"0.weight": 0.25, "0.bias": 0.0, "2.weight": 1.0, "2.bias": 1.0}
    close(moved, {name: factors[name] * gradient for name, gradient in plain.items()})


def test_adam_s_steps_are_scaled_too() -> None:
    initial = Population.of(network, 2, seed=2)
    recipe = Recipe(optimizer="adam", lr=0.01, batch_size=None, steps=1)
    plain = fit(initial, (X, Y), recipe, plan=Plan(2)).final
    half = fit(initial, (X, Y), recipe.but(interventions=(layer_rates(factors={"2.*": 0.5}),)), plan=Plan(2)).final
    step = {n: plain.parameters[n] - initial.parameters[n] for n in initial.parameters}
    assert torch.allclose(half.parameters["2.weight"] - initial.parameters["2.weight"], 0.5 * step["2.weight"])
    assert torch.allclose(half.parameters["0.weight"] - initial.parameters["0.weight"], step["0.weight"])


def test_it_goes_through() -> None:
    goes_through(layer_rates(factors={"0.*": 0.1}))


def test_a_negative_factor_is_refused() -> None:
    with pytest.raises(Refusal, match="factor"):
        layer_rates(factors={"*": -1.0})
