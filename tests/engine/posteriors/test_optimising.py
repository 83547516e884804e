"""Trained posteriors: smaller bounds than at their start, the prior's buffers, and members that do not see each other."""

import math
from dataclasses import replace

import pytest
import torch
from tests import cases

from heldout.engine.population import Population
from heldout.engine.posteriors import Gaussian, Posterior, Settings, divergence, per_example, trained_posterior
from heldout.engine.posteriors.grid import variance_at
from heldout.engine.posteriors.inequalities import pac_bayes_kl_upper
from heldout.engine.posteriors.mapping import by_name, in_rows
from heldout.engine.posteriors.nats import fixed_divergence, profiled_divergence
from heldout.engine.posteriors.optimising import with_grid_prior
from heldout.engine.subject import Examples
from heldout.records import Refusal

QUICK = Settings(scale=0.1, steps=120, batch_size=60, lr=0.02, scale_lr=0.1, unit=1.0, objective="classic")


def pieces(case: str = "linear", members: int = 2) -> tuple[Population, Population, Examples]:
    """Trained networks, initial ones, and data."""
    made = [getattr(cases, case)(seed=seed) for seed in range(members)]
    x, y = made[0].train
    return Population([m.network for m in made]), Population([m.initial for m in made]), Examples(x, y)


def trained(case: str = "linear", settings: Settings = QUICK, members: int = 2, seed: int = 0) -> Posterior:
    """A posterior around the trained networks of a case."""
    networks, initial, data = pieces(case, members)
    return trained_posterior(networks, initial, data, bound_size=len(data), binary=False, settings=settings, seed=seed)


def certified(found: Posterior, data: Examples) -> float:
    """The mean bound, without its Monte-Carlo step."""
    risk = per_example(found.posterior, data, draws=200, binary=False, seed=0).double().mean((1, 2))
    nats = (found.divergence + found.price).numpy()
    return float(pac_bayes_kl_upper(risk.numpy(), nats, len(data), math.log(0.05)).mean())


@pytest.mark.parametrize("objective", ["quadratic", "lambda", "classic", "dziugaite-roy"])
def test_training_makes_the_bound_smaller(objective: str) -> None:
    networks, initial, data = pieces()
    start = with_grid_prior(Gaussian.around(networks, QUICK.scale), initial)
    settings = replace(QUICK, objective=objective)
    found = trained_posterior(networks, initial, data, bound_size=60, binary=False, settings=settings, seed=0)
    assert certified(found, data) < certified(start, data) - 0.05
    assert torch.equal(found.divergence, divergence(found.posterior, found.prior))
    assert found.prior.log_scales["weight"].exp()[0].item() == pytest.approx(variance_at(found.place)[0].sqrt().item())


def test_objectives_lead_to_different_posteriors() -> None:
    found = {
        objective: trained(settings=replace(QUICK, objective=objective))
        for objective in ("classic", "quadratic", "lambda")
    }
    values = [one.divergence[0].item() for one in found.values()]
    assert len({round(value, 3) for value in values}) == 3


def test_scales_of_weights_and_of_layers() -> None:
    each, layer = trained().posterior, trained(settings=replace(QUICK, per="layer")).posterior
    assert each.log_scales["weight"].shape == (2, 3, 8)
    assert each.log_scales["weight"][0].std() > 0.01
    assert layer.log_scales["weight"].shape == (2, 1, 1)
    assert layer.log_scales["bias"].shape == (2, 1)
    assert abs(layer.log_scales["weight"][0].item() - math.log(0.1)) > 0.01


def test_a_member_alone_is_trained_as_in_a_population() -> None:
    both, one = trained(members=2), trained(members=1)
    for name, weight in one.posterior.centre.parameters.items():
        assert torch.allclose(weight[0], both.posterior.centre.parameters[name][0], atol=1e-5)
    assert trained(members=1, seed=1).divergence[0] != one.divergence[0]


def test_buffers_are_those_of_the_prior() -> None:
    networks, initial, data = pieces("cnn")
    found = trained_posterior(
        networks, initial, data, bound_size=60, binary=False, settings=replace(QUICK, steps=3), seed=0
    )
    for name, buffer in initial.buffers.items():
        assert torch.equal(found.posterior.centre.buffers[name], buffer)
    assert not torch.equal(networks.buffers["1.running_mean"], initial.buffers["1.running_mean"])


def test_a_prior_that_was_fixed_before_costs_no_price() -> None:
    networks, _, data = pieces()
    prior = Gaussian.relative(networks, 0.3)
    found = trained_posterior(networks, prior, data, bound_size=60, binary=False, settings=QUICK, seed=0)
    assert found.price.tolist() == [0.0, 0.0]
    assert found.place.tolist() == [0.0, 0.0]
    assert found.prior is prior
    assert (found.divergence > 0).all()


def test_a_training_that_diverges_goes_back_to_its_start() -> None:
    networks, initial, data = pieces()
    found = trained_posterior(
        networks, initial, data, bound_size=60, binary=False, settings=replace(QUICK, lr=math.inf, steps=3), seed=0
    )
    assert torch.equal(found.posterior.centre.parameters["weight"], networks.parameters["weight"])
    assert found.posterior.log_scales["weight"].exp().mean().item() == pytest.approx(0.1)


def test_networks_that_are_not_dense_are_trained_by_their_weights() -> None:
    networks, initial, _ = pieces("cnn")
    start = with_grid_prior(Gaussian.around(networks, QUICK.scale), initial)
    found = trained("cnn", replace(QUICK, steps=60, unit=3.0))
    assert (found.divergence < start.divergence - 100).all()  # hundreds of nats on sixty examples are too many
    assert not torch.equal(found.posterior.centre.parameters["0.weight"], networks.parameters["0.weight"])


def test_training_divergences_are_the_certified_ones() -> None:
    networks, initial, _ = pieces()
    posterior = Gaussian.around(networks, 0.05)
    shapes = networks.parameters
    means, logs = in_rows(shapes, shapes), in_rows(posterior.log_scales, shapes).float()
    found = with_grid_prior(posterior, initial)
    smooth = profiled_divergence(initial)(means, logs)
    assert smooth.tolist() == pytest.approx((found.divergence + found.price).tolist(), rel=1e-3)
    prior = Gaussian.relative(initial, 0.4)
    exact = divergence(posterior, prior).tolist()
    assert fixed_divergence(prior)(means, logs).tolist() == pytest.approx(exact, rel=1e-4)


def test_rows_and_names() -> None:
    shapes = pieces()[0].parameters
    rows = in_rows(shapes, shapes)
    assert rows.shape == (2, 27)
    assert all(torch.equal(tensor, shapes[name]) for name, tensor in by_name(rows, shapes).items())
    expanded = in_rows({"weight": torch.tensor([[[1.0]], [[2.0]]]), "bias": torch.tensor([[3.0], [4.0]])}, shapes)
    assert expanded[1].tolist() == [2.0] * 24 + [4.0] * 3


def test_scales_of_layers_start_at_those_of_a_fixed_prior() -> None:
    networks, _, data = pieces()
    prior = trained().posterior  # a scale of its own for every weight
    settings = replace(QUICK, per="layer", steps=1, scale_lr=1e-9)
    found = trained_posterior(networks, prior, data, bound_size=60, binary=False, settings=settings, seed=0)
    for name, log in found.posterior.log_scales.items():
        expected = prior.log_scales[name].flatten(1).mean(1)
        assert log.flatten().tolist() == pytest.approx(expected.tolist(), abs=1e-5)


def test_the_best_variance_of_the_grid_is_chosen() -> None:
    networks, initial, _ = pieces()
    posterior = Gaussian.around(networks, 0.01)
    found = with_grid_prior(posterior, initial)
    for away in (-3.0, 3.0):
        place = (found.place + away).clamp(min=1)
        other = Gaussian.around(initial, variance_at(place).sqrt())
        moved = place != found.place
        assert (divergence(posterior, other)[moved] > found.divergence[moved]).all()


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"per": "neuron"}, "per was 'neuron'; expected 'weight' or 'layer'"),
        ({"objective": "x"}, "objective was 'x'"),
        ({"scale": 0.0}, "scale was 0.0; expected a positive number"),
        ({"floor": 1.0}, "floor was 1.0; expected a number strictly between 0 and 1"),
    ],
)
def test_settings_that_cannot_be_followed_are_refused(wrong: dict[str, object], sentence: str) -> None:
    with pytest.raises(Refusal, match=sentence):
        replace(QUICK, **wrong)  # type: ignore[arg-type]
