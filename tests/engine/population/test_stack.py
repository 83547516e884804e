"""The stack equals its members, one by one, for every kind of network and input."""

import copy
import warnings
from typing import Any

import pytest
import torch
from tests import cases
from tests.architectures import Tied
from torch import Tensor, nn
from torch.utils._pytree import tree_map

from heldout.engine.population import Population
from heldout.records import Refusal

STACKED = [name for name in cases.ALL if name != "lstm"]


def plain(network: nn.Module, x: Any) -> Tensor:
    """The network called as its author would."""
    with torch.no_grad():
        output: Tensor = network(**x) if isinstance(x, dict) else network(x)
    return output


def population_of(name: str, **settings: Any) -> tuple[Population, list[nn.Module], Any]:
    members = [cases.ALL[name](seed=seed) for seed in (0, 1, 2)]
    networks = [case.network for case in members]
    return Population(networks, **settings), networks, members[0].train[0]


@pytest.mark.parametrize("memory", [2**28, 3000], ids=["whole", "chunks"])
@pytest.mark.parametrize("name", STACKED)
def test_the_stack_is_its_members(name: str, memory: int) -> None:
    population, networks, x = population_of(name, memory=memory)
    outputs = population(x)
    assert population.loop_reason == ""
    for member, network in enumerate(networks):
        torch.testing.assert_close(outputs[member], plain(network, x), rtol=1e-5, atol=1e-5)
        torch.testing.assert_close(plain(population.member(member), x), plain(network, x), rtol=0, atol=0)


def test_a_module_without_rules_is_called_member_by_member_and_says_so_once() -> None:
    population, networks, x = population_of("lstm")
    assert population.loop_reason == ""
    with pytest.warns(UserWarning, match="cannot be vectorised over members"):
        outputs = population(x)
    assert population.loop_reason
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        population(x)
        population.with_tensors(population.parameters, population.buffers)(x)  # perturbed copies are not tried again
    for member, network in enumerate(networks):
        torch.testing.assert_close(outputs[member], plain(network, x), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["mlp", "cnn", "token_transformer"])
@pytest.mark.parametrize("memory", [2**28, 3000], ids=["whole", "chunks"])
def test_data_of_its_own_for_each_member(name: str, memory: int) -> None:
    population, networks, x = population_of(name, memory=memory)
    own = tree_map(lambda leaf: torch.stack([leaf, leaf.flip(0), leaf.roll(1, 0)]), x)
    outputs = population(own, per_member=True)
    for member, network in enumerate(networks):
        theirs = tree_map(lambda leaf: leaf[member], own)  # noqa: B023
        torch.testing.assert_close(outputs[member], plain(network, theirs), rtol=1e-5, atol=1e-5)


class Two(nn.Module):
    """Takes two inputs, or one dictionary."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(3, 2)

    def forward(self, first: Tensor, second: Tensor, *, scale: Tensor | None = None) -> Any:
        output = self.layer(first + second)
        return {"logits": output if scale is None else output * scale, "hidden": first}


class OfDictionary(Two):
    """Takes one dictionary and gives a tuple."""

    def forward(self, batch: dict[str, Tensor]) -> Any:  # type: ignore[override]
        return self.layer(batch["first"]), batch["first"]


def test_tuples_are_positional_and_dictionaries_keywords_where_forward_names_them() -> None:
    networks = [Two(), Two()]
    first, second, scale = torch.randn(5, 3), torch.randn(5, 3), torch.randn(5, 1)
    population = Population(networks)
    expected = torch.stack([network.layer(first + second) for network in networks])
    torch.testing.assert_close(population((first, second)), expected)
    torch.testing.assert_close(population([first, second]), expected)
    scaled = population({"first": first, "second": second, "scale": scale})
    torch.testing.assert_close(scaled, expected * scale)


class Wrapper(Two):
    """Passes on whatever it is given, as the wrappers of Hugging Face's libraries do."""

    def forward(self, *arguments: Any, **keywords: Any) -> Any:
        return super().forward(*arguments, **keywords)


class OfDictionaryAndMore(OfDictionary):
    """Takes one dictionary, and keywords beside it."""

    def forward(self, batch: dict[str, Tensor], **keywords: Any) -> Any:  # type: ignore[override]
        return super().forward(batch)


def test_a_wrapper_that_takes_any_keyword_is_given_keywords() -> None:
    first, second = torch.randn(5, 3), torch.randn(5, 3)
    network, asking = Wrapper(), OfDictionaryAndMore()
    outputs = Population(network)({"first": first, "second": second})
    torch.testing.assert_close(outputs[0], network.layer(first + second))
    torch.testing.assert_close(Population(asking)({"first": first})[0], asking.layer(first))


def test_other_dictionaries_are_one_argument() -> None:
    networks = [OfDictionary(), OfDictionary()]
    first = torch.randn(5, 3)
    expected = torch.stack([network.layer(first) for network in networks])
    torch.testing.assert_close(Population(networks)({"first": first}), expected)


def test_an_output_without_a_tensor_is_refused() -> None:
    class Nothing(Two):
        def forward(self, first: Tensor) -> Any:  # type: ignore[override]
            return "a word"

    with pytest.raises(Refusal, match="output was a str"):
        Population(Nothing())(torch.zeros(1, 3))


def test_a_population_of_one_shares_its_weights() -> None:
    network = cases.cnn().network
    population = Population(network)
    theirs = {**dict(network.named_parameters()), **dict(network.named_buffers())}
    for name, tensor in {**population.parameters, **population.buffers}.items():
        assert tensor.data_ptr() == theirs[name].data_ptr(), name
    for name, tensor in population.member(0).named_parameters():
        assert tensor.data_ptr() == theirs[name].data_ptr(), name
    assert population.member(0) is not network


def test_a_member_is_an_ordinary_module_that_trains() -> None:
    networks: list[nn.Module] = [copy.deepcopy(cases.tied(seed=seed).network) for seed in (0, 1)]
    for network in networks:
        network.get_parameter("head.weight").requires_grad_(False)
    x, y = cases.tied().train
    member = Population(networks).member(1)
    assert isinstance(member, Tied)
    assert not member.training
    assert member.first.weight is member.second.weight
    assert not member.head.weight.requires_grad
    loss = nn.functional.cross_entropy(member(x), y)
    loss.backward()  # type: ignore[no-untyped-call]
    assert member.first.weight.grad is not None
    assert member.first.weight.grad.abs().sum() > 0
    torch.optim.SGD([p for p in member.parameters() if p.requires_grad], lr=0.1).step()
    assert nn.functional.cross_entropy(member(x), y) < loss


def test_the_network_keeps_its_mode_and_the_population_evaluates() -> None:
    network = nn.Sequential(nn.Linear(3, 4), nn.Dropout(0.5), nn.Linear(4, 2)).train()
    x = torch.randn(6, 3)
    first, second = Population(network)(x), Population(network)(x)
    assert torch.equal(first, second)
    assert network.training


def test_tied_weights_count_once() -> None:
    assert Population(cases.tied().network).size == 8 * 8 + 8 + 8 + 8 * 3 + 3


def test_other_weights_are_counted_on_the_same_tally() -> None:
    population, networks, x = population_of("mlp")
    twice = {name: 2.0 * tensor for name, tensor in population.parameters.items()}
    perturbed = population.with_tensors(twice, population.buffers)
    doubled = copy.deepcopy(networks[1])
    with torch.no_grad():
        for parameter in doubled.parameters():
            parameter.mul_(2.0)
    torch.testing.assert_close(perturbed(x)[1], plain(doubled, x), rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(population(x)[1], plain(networks[1], x), rtol=1e-5, atol=1e-5)
    assert population.tally is perturbed.tally
    assert (population.tally.forward, population.tally.backward) == (2 * 3 * 60, 0)


def test_one_network_makes_many_perturbed_ones() -> None:
    network, (x, _) = cases.mlp().network, cases.mlp().train
    population = Population(network)
    many = population.with_tensors({n: t.expand(4, *t.shape[1:]) for n, t in population.parameters.items()}, {})
    torch.testing.assert_close(many(x), plain(network, x).expand(4, -1, -1), rtol=1e-5, atol=1e-5)
    assert len(many) == 4
    assert population.tally.forward == 4 * 60


def test_many_perturbed_copies_of_a_module_without_rules_are_called_one_by_one() -> None:
    network, (x, _) = cases.lstm().network, cases.lstm().train
    population = Population(network)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        population(x)  # a single network needs no stack, and nothing is said
    many = population.with_tensors({n: t.expand(2, *t.shape[1:]) for n, t in population.parameters.items()}, {})
    with pytest.warns(UserWarning, match="cannot be vectorised"):
        outputs = many(x)
    torch.testing.assert_close(outputs[1], plain(network, x), rtol=1e-5, atol=1e-6)


def test_empty_and_unequal_networks_are_refused() -> None:
    with pytest.raises(Refusal, match="was empty"):
        Population([])
    with pytest.raises(Refusal, match="no parameters"):
        Population(nn.ReLU())
    with pytest.raises(Refusal, match=r"network 1 differs from network 0 at 'weight' \(\(2, 4\) against \(2, 3\)\)"):
        Population([nn.Linear(3, 2), nn.Linear(4, 2)])
    with pytest.raises(Refusal, match="differs from network 0 at 'bias'"):
        Population([nn.Linear(3, 2), nn.Linear(3, 2, bias=False)])


def test_initialisations_are_the_same_in_a_population_of_any_size() -> None:
    before = torch.get_rng_state()
    few, many = (Population.of(lambda: nn.Linear(3, 2), members, seed=4) for members in (2, 5))
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(few.parameters["weight"], many.parameters["weight"][:2])
    assert len({float(weight.sum()) for weight in many.parameters["weight"]}) == 5
    other = Population.of(lambda: nn.Linear(3, 2), 2, seed=5)
    assert not torch.equal(few.parameters["weight"], other.parameters["weight"])


def test_precision_is_the_networks_own() -> None:
    population = Population(nn.Linear(3, 2).double())
    assert population.dtype == torch.float64
    assert population(torch.zeros(4, 3)).dtype == torch.float64
    assert population.device == torch.device("cpu")
