"""Losses, gradients and Hessian products of networks against one network at a time in plain torch."""

from typing import Any

import pytest
import torch
from tests import cases
from torch import nn
from torch.func import functional_call

from heldout.engine.sampling.field import NetworkField
from heldout.engine.subject import Examples, Subject


def field_of(subject: Subject, names: tuple[str, ...] = ()) -> NetworkField:
    return NetworkField(subject.population, subject.train, subject.loss, names or tuple(subject.population.parameters))


def moved(field: NetworkField, members: torch.Tensor) -> torch.Tensor:
    """Positions near the centres, a different one for every chain."""
    noise = torch.randn(len(members), field.size, generator=torch.Generator().manual_seed(0))
    return field.centres[members] + 0.02 * noise


def plain(
    field: NetworkField, subject: Subject, position: torch.Tensor, member: int, index: Any
) -> tuple[torch.Tensor, torch.Tensor]:
    """Losses and the gradient of their mean, by the module itself."""
    leaf = position.detach().clone().requires_grad_()
    module = subject.population.member(member).eval()
    tensors = {name: leaf[place].view(shape) for name, place, shape in field.layout}
    x, y = subject.train.x, subject.train.labels(len(subject.population))[member]
    x = {key: value[index] for key, value in x.items()} if isinstance(x, dict) else x[index]
    outputs = functional_call(module, tensors, (), x) if isinstance(x, dict) else functional_call(module, tensors, (x,))
    losses = subject.loss.per_example(outputs.double(), y[index])
    return losses.detach(), torch.autograd.grad(losses.mean(), leaf)[0]


@pytest.mark.parametrize("case", ["mlp", "cnn", "transformer", "token_transformer", "tied", "regression"])
def test_losses_and_gradients_are_those_of_each_network_alone(case: str) -> None:
    make = getattr(cases, case)
    subject = cases.together([make(seed=0), make(seed=1)])
    field, members = field_of(subject), torch.tensor([0, 1, 1])
    position = moved(field, members)
    index = torch.tensor([[0, 5, 7], [1, 2, 3], [9, 8, 4]])
    everything, slope = field.gradient(position, members)
    few, few_slope = field.gradient(position, members, index)
    assert torch.allclose(everything, field.losses(position, members), rtol=1e-4, atol=1e-5)
    for chain in (0, 2):
        for found, gradient, which in ((everything, slope, slice(None)), (few, few_slope, index[chain])):
            losses, exact = plain(field, subject, position[chain], int(members[chain]), which)
            assert torch.allclose(found[chain], losses, rtol=1e-4, atol=1e-5)
            assert torch.allclose(gradient[chain], exact, rtol=1e-3, atol=1e-5)


def test_a_network_that_cannot_be_vectorised_is_called_one_by_one() -> None:
    subject = cases.together([cases.lstm(seed=0), cases.lstm(seed=1)])
    field, members = field_of(subject), torch.tensor([0, 1])
    position = moved(field, members)
    with pytest.warns(UserWarning, match="cannot be vectorised"):
        losses, slope = field.gradient(position, members)
    exact = plain(field, subject, position[1], 1, slice(None))
    assert torch.allclose(losses[1], exact[0], rtol=1e-4, atol=1e-5)
    assert torch.allclose(slope[1], exact[1], rtol=1e-3, atol=1e-5)


def test_the_hessian_is_that_of_softmax_regression() -> None:
    """``mean_i (diag p_i - p_i p_i') x x'`` over the extended input, for a linear network."""
    case = cases.linear()
    field = field_of(case.subject())
    member = torch.zeros(1, dtype=torch.int64)
    x = torch.cat([case.train[0], torch.ones(len(case.train[0]), 1)], dim=1).double()
    p = case.network(case.train[0]).double().softmax(1).detach()
    curved = torch.einsum("nc,cd,ni,nj->cidj", p, torch.eye(3).double(), x, x) - torch.einsum(
        "nc,nd,ni,nj->cidj", p, p, x, x
    )
    curved = curved / len(x)
    direction = torch.randn(1, field.size, generator=torch.Generator().manual_seed(1))
    turned = torch.cat([direction[0, :24].view(3, 8), direction[0, 24:].view(3, 1)], dim=1).double()
    exact = torch.einsum("cidj,dj->ci", curved, turned)
    found = field.hessian_product(field.centres, member, direction)[0].double()
    assert torch.allclose(found, torch.cat([exact[:, :8].flatten(), exact[:, 8]]), atol=1e-5)


def test_small_memory_changes_nothing_and_work_is_counted() -> None:
    whole, tight = cases.mlp().subject(), cases.mlp().subject(memory=3000)
    members = torch.zeros(3, dtype=torch.int64)
    position = moved(field_of(whole), members)
    found = [field_of(subject).gradient(position, members) for subject in (whole, tight)]
    assert torch.allclose(found[0][0], found[1][0], atol=1e-6)
    assert torch.allclose(found[0][1], found[1][1], atol=1e-6)
    assert whole.population.tally.backward == tight.population.tally.backward == 3 * 60


def test_parameters_that_are_not_sampled_stay_where_their_member_has_them() -> None:
    subject = cases.together([cases.mlp(seed=0), cases.mlp(seed=1)])
    names = tuple(name for name in subject.population.parameters if name.startswith("0."))
    field, members = field_of(subject, names), torch.tensor([0, 1])
    assert field.size < subject.population.size
    losses = field.losses(field.centres, members)
    whole = field_of(subject)
    assert torch.allclose(losses, whole.losses(whole.centres, members))
    assert torch.equal(
        field.stack(field.centres, members).parameters["2.weight"], subject.population.parameters["2.weight"]
    )


def test_every_network_may_have_data_of_its_own() -> None:
    x = torch.randn(2, 12, 8, generator=torch.Generator().manual_seed(0))
    y = torch.arange(24).view(2, 12) % 3
    networks = [cases.mlp(seed=seed).network for seed in (0, 1)]
    subject = Subject(networks, Examples(x, y, x_per_member=True, y_per_member=True))
    field, members, index = field_of(subject), torch.tensor([1, 0]), torch.tensor([[3, 1], [2, 0]])
    losses, _ = field.gradient(field.centres[members], members, index)
    alone = nn.functional.cross_entropy(networks[1](x[1, [3, 1]]).double(), y[1, [3, 1]], reduction="none")
    assert torch.allclose(losses[0], alone.detach(), atol=1e-5)
