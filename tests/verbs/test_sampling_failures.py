"""What goes wrong in sampling, each on a module through ``heldout.sample_posterior``: recognised, said, never a silent number."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import heldout
from heldout.records import Refusal, Status
from heldout.verbs.posterior import Posterior

FAMILY = ("learning-coefficient", "learning-coefficient-two-temperatures", "learning-coefficient-heat-capacity")


class Weights(nn.Module):
    """Two numbers, whatever the input."""

    def __init__(self, start: tuple[float, float] = (0.0, 0.0)) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.tensor(start, dtype=torch.float64))

    def forward(self, x: Tensor) -> Tensor:
        return self.w.expand(len(x), -1)


def sampled(loss: Callable[[Tensor], Tensor], network: nn.Module | None = None, **given: object) -> Posterior:
    """The posterior of a loss of two numbers at 100 examples: ``n beta`` is 21.7."""
    data = torch.zeros(100, 1), torch.zeros(100, 2, dtype=torch.float64)
    subject = heldout.Subject(network or Weights(), train=data, loss=lambda outputs, targets: loss(outputs))
    return heldout.sample_posterior(subject, **{"draws": 50, "precision": 0.2, "localisation": 1.0, **given})  # type: ignore[arg-type]


def bowl(w: Tensor) -> Tensor:
    """A regular minimum at 0."""
    return 2.5 * w.square().sum(1)


def no_number(found: Posterior, status: Status, words: str, names: tuple[str, ...] = FAMILY) -> None:
    for name in names:
        reading = found.readings[name]
        assert reading.statuses == (status,), (name, reading.reasons)
        assert words in reading.reasons[0]
        assert reading.rows()[0]["value"] is None
        assert reading.rows()[0]["high"] is None


@pytest.mark.parametrize(
    ("sampler", "step_size", "budget", "words"),
    [
        ("sgld", 1.0, 300.0, "8 of 8 chains diverged"), ("mala", 1e3, 300.0, "never left their start"),
    ],
)  # fmt: skip
def test_a_step_that_is_too_large(sampler: str, step_size: float, budget: float, words: str) -> None:
    found = sampled(bowl, sampler=sampler, step_size=step_size, budget=budget)
    no_number(found, Status.NOT_CONVERGED, words)
    assert "step_size" in found.learning_coefficient.reasons[0]
    assert not found.diagnostics()[0]["converged"]


def test_a_trajectory_is_no_longer_than_it_should_be_whatever_its_step() -> None:
    found = sampled(bowl, sampler="hmc", step_size=1e4, budget=3000.0).learning_coefficient
    a = 21.7 * 5 / (21.7 * 5 + 1)  # two regular parameters under the Gaussian
    assert found.ok, found.reasons
    assert abs(found.value[0] - a) < 5 * found.standard_error[0] < 1


def test_a_negative_estimate_is_recognised_as_a_centre_that_is_no_minimum() -> None:
    found = sampled(bowl, Weights((0.5, 0.0)), precision=0.005)
    own = found.draws[0]
    assert own.recorded.mean_losses.mean() < own.centre_losses.mean()  # the estimate from the centre would be negative
    no_number(found, Status.UNDEFINED, "the centre is no minimum", FAMILY[:1])
    heat = found.readings["learning-coefficient-heat-capacity"]
    a = 21.7 * 5 / (21.7 * 5 + 1)  # two regular parameters under the Gaussian
    assert abs(heat.value[0] - a**2) < 5 * heat.standard_error[0] < 1


def test_chains_that_leave_for_a_lower_well_are_told_from_those_at_no_minimum() -> None:
    """Wells at 0 and near 2 with a barrier of one unit of temperature; a stronger localisation keeps the chains."""

    def wells(w: Tensor) -> Tensor:
        along = w[:, 0].square()
        return 0.15 * along * (w[:, 0] - 2).square() - 0.05 * along * (3 - w[:, 0]) + 0.5 * w[:, 1].square()

    found = sampled(wells, localisation=0.3)
    no_number(found, Status.UNDEFINED, "left the basin of the centre", FAMILY[:1])
    assert "localisation=4.8" in found.learning_coefficient.reasons[0]
    held = sampled(wells, localisation=20.0)
    assert held.learning_coefficient.ok, held.learning_coefficient.reasons


@pytest.mark.parametrize(("loss", "localisation"), [("sum", 1.0), ("prod", 40.0)])
def test_a_loss_that_is_linear_in_every_parameter_holds_nothing(loss: str, localisation: float) -> None:
    found = sampled(lambda w: getattr(w, loss)(1), localisation=localisation, precision=0.03)
    no_number(found, Status.UNDEFINED, "no minimum here that holds them")


def test_a_loss_that_falls_without_end_is_given_up() -> None:
    """The same with a Gaussian too weak to make it a law: chains run off, and end where their energy leaves every scale."""
    found = sampled(lambda w: -5 * w.square().sum(1), sampler="sgld", step_size=0.01, budget=2000.0)
    no_number(found, Status.NOT_CONVERGED, "8 of 8 chains diverged")


def test_weights_that_are_no_number_are_refused() -> None:
    with pytest.raises(Refusal, match="NaN or infinite values in 'w'"):
        sampled(bowl, Weights((float("nan"), 0.0)))


def test_a_chain_that_meets_no_number_is_frozen_dropped_and_counted() -> None:
    """Beyond a wall the loss is NaN. A draw behind it is refused by a Metropolis test, and ends a chain that has none."""

    def walled(at: float) -> Callable[[Tensor], Tensor]:
        return lambda w: bowl(w) + 0 * torch.log(at - w[:, 0])

    exact = sampled(walled(0.35))
    assert exact.learning_coefficient.ok
    assert exact.diagnostics()[0]["diverged"] == 0.0
    given = {"localisation": 25.0, "sampler": "sgld", "step_size": 0.004, "budget": 1000.0}
    some, many = sampled(walled(0.32), **given), sampled(walled(0.25), **given)
    for found in (some, many):
        row = found.diagnostics()[0]
        assert row["chains"] == 8 - row["diverged"]
        assert np.isfinite(found.draws[0].recorded.mean_losses).all()
    assert some.diagnostics()[0]["diverged"] >= 1
    assert many.diagnostics()[0]["diverged"] > 2
    no_number(many, Status.NOT_CONVERGED, "chains diverged")


def test_a_frozen_network_is_refused() -> None:
    with pytest.raises(Refusal, match="every parameter of the network is frozen"):
        sampled(bowl, Weights().requires_grad_(False))


def fitted(network: nn.Module, x: Tensor, y: Tensor) -> nn.Module:
    optimizer = torch.optim.LBFGS(
        network.parameters(), max_iter=400, line_search_fn="strong_wolfe", tolerance_grad=1e-9
    )

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = (network(x)[:, 0] - y).square().mean()
        loss.backward()
        return loss

    optimizer.step(closure)
    return network


def test_dropout_and_batch_norm_left_in_training_mode_are_sampled_in_evaluation_mode_and_named() -> None:
    torch.manual_seed(0)
    x = torch.randn(40, 2, dtype=torch.float64)
    y = x[:, 0] + 0.5 * torch.randn(40, dtype=torch.float64)
    network = nn.Sequential(nn.BatchNorm1d(2), nn.Dropout(0.5), nn.Linear(2, 1)).double()
    network(x)  # statistics of training
    fitted(network.eval(), x, y)
    given = {"localisation": 1.0, "draws": 50, "precision": 0.3, "only": "2"}
    found = []
    for mode in (False, True):
        subject = heldout.Subject(network.train(mode), train=(x, y), loss="squared-error")
        found.append(heldout.sample_posterior(subject, **given))  # type: ignore[arg-type]
        assert network.training is mode
    assert np.array_equal(found[0].draws[0].recorded.mean_losses, found[1].draws[0].recorded.mean_losses)
    assert found[1].to_dict()["subject"]["train_mode_layers"] == ["0 (BatchNorm1d)", "1 (Dropout)"]


def test_the_number_of_a_rescaled_network_differs_by_its_localisation_alone() -> None:
    """A ReLU network and the same function with one layer times 4 and the next by 4: the number belongs to the parametrisation.

    Rescaling is linear in the weights, so that the posterior of the rescaled network under ``gamma |w|^2`` is that of the first
    under a Gaussian of other widths. A strong one sees the difference, and the quadratic law says how much; a weak one does not.
    """
    torch.manual_seed(1)
    x = torch.randn(60, 1, dtype=torch.float64)
    y = x[:, 0].relu() + 0.3 * torch.randn(60, dtype=torch.float64)
    network = nn.Sequential(nn.Linear(1, 1), nn.ReLU(), nn.Linear(1, 1)).double()
    with torch.no_grad():
        network[0].weight.fill_(1.0), network[0].bias.fill_(0.1), network[2].weight.fill_(1.0)  # type: ignore[union-attr, operator]
    fitted(network, x, y)
    other = nn.Sequential(nn.Linear(1, 1), nn.ReLU(), nn.Linear(1, 1)).double()
    with torch.no_grad():
        for mine, theirs, factor in zip(other.parameters(), network.parameters(), (4.0, 4.0, 0.25, 1.0), strict=True):
            mine.copy_(factor * theirs)
    assert torch.allclose(network(x), other(x))
    subject = heldout.Subject([network, other], train=(x, y), loss="squared-error")
    strong = heldout.sample_posterior(subject, localisation=200.0, draws=50, precision=0.1)
    quadratic = strong.readings["learning-coefficient-quadratic"].value
    assert quadratic[1] - quadratic[0] > 0.19
    weak = heldout.sample_posterior(subject, localisation=[20.0, 20.0], draws=50, precision=0.1)
    for found, differs in ((strong, True), (weak, False)):
        value, error = found.learning_coefficient.value, found.learning_coefficient.standard_error
        assert found.learning_coefficient.ok, found.learning_coefficient.reasons
        assert bool(abs(value[1] - value[0]) > 4 * np.hypot(*error)) is differs
