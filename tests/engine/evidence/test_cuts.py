"""Where networks can be cut in two, against architectures of which it is known."""

import pytest
import torch
from tests import cases
from torch import Tensor, nn

from heldout.engine.evidence.cuts import cuts_of
from heldout.engine.evidence.places import Cut, intervening, last_input
from heldout.engine.evidence.resolving import Evidence
from heldout.engine.population import Population
from heldout.engine.subject import Subject


def made(make: type[nn.Module] | nn.Module) -> Population:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return Population(make() if isinstance(make, type) else make)


def places(population: Population, x: Tensor) -> list[tuple[str, bool]]:
    return [(cut.module, cut.after) for cut in cuts_of(population, x)]


@pytest.mark.parametrize(("name", "expected"), [
    ("mlp", [("0", True), ("2", True)]),  # outputs of the layers, before the activations
    ("cnn", [("0", True), ("3", True)]),
    ("linear", []),
    ("lstm", [("body", True)]),
    ("residual", [("stem", True), ("head", False)]),  # inside of the blocks a skip connection passes by
    ("transformer", [("enter", True), ("body.norm1", False), ("body.norm2", False)]),
    ("token_transformer", [("embedding", True), ("body.norm1", False), ("body.norm2", False)]),
])  # fmt: skip
def test_the_table_of_cases(name: str, expected: list[tuple[str, bool]]) -> None:
    found = Evidence(cases.ALL[name]().subject())["hidden_cuts"]
    assert [(cut.module, cut.after) for cut in found] == expected


def test_folded_norms_belong_to_their_layer() -> None:
    case = cases.cnn()
    evidence = Evidence(case.subject())
    cut = evidence["hidden_cuts"][0]
    seen: list[Tensor] = []
    folded = evidence["folded"]
    with intervening(folded.template, {cut: lambda h: seen.append(h) or h}):  # type: ignore[func-returns-value]
        folded.call_one(*folded.tensors(0), case.train[0])
    torch.testing.assert_close(seen[0], case.network[:2](case.train[0]), rtol=1e-4, atol=1e-4)  # type: ignore[index]


class Dense(nn.Module):
    """Every layer sees the first layer's output."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two, self.three = nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(8, 2)

    def forward(self, x: Tensor) -> Tensor:
        h = torch.relu(self.one(x))
        return self.three(torch.cat([h, self.two(h)], dim=-1))


class Blocks(nn.Module):
    """Residual blocks as modules of their own, with ReLUs in place."""

    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inside = nn.Sequential(nn.Linear(4, 6), nn.ReLU(inplace=True), nn.Linear(6, 4))
            self.act = nn.ReLU(inplace=True)

        def forward(self, x: Tensor) -> Tensor:
            return self.act(x + self.inside(x))

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.one, self.two = nn.Linear(4, 4), Blocks.Block(), Blocks.Block()
        self.head = nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.two(self.one(self.stem(x))))


class Unused(nn.Module):
    """The first layer's output goes nowhere."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two = nn.Linear(4, 4), nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        self.one(x)
        return self.two(x)


class Functional(nn.Module):
    """Blocks as modules whose skip connections are not: a block is entered and left at places of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.block, self.head = nn.Linear(4, 4), Blocks.Block(), nn.Linear(4, 2)
        self.inner = nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Tensor:
        h = self.stem(x)
        return self.head(self.block(h + self.inner(h)))


class LastState(nn.Module):
    """A recurrent layer of which only the last state is used."""

    def __init__(self) -> None:
        super().__init__()
        self.body, self.head = nn.GRU(4, 5, batch_first=True), nn.Linear(5, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.body(x)[1][-1])


class Folding(nn.Module):
    """Positions stand on the axis of the examples in the middle."""

    def __init__(self) -> None:
        super().__init__()
        self.enter, self.middle, self.head = nn.Linear(3, 5), nn.Linear(5, 6), nn.Linear(6, 2)

    def forward(self, x: Tensor) -> Tensor:
        h = self.middle(torch.tanh(self.enter(x.flatten(0, 1))))
        return self.head(torch.tanh(h).unflatten(0, x.shape[:2]).transpose(0, 1)).mean(0)


def test_skip_connections_in_many_shapes() -> None:
    x = torch.ones(1, 4)
    assert places(made(Dense), x) == [("one", True), ("three", False)]
    assert places(made(Blocks), x) == [("stem", True), ("one.act", False), ("two.act", False)]
    found = cuts_of(made(Functional), x)
    assert [cut.place for cut in found] == ["stem", "block (input)", "block.act (input)"]
    assert places(made(Unused), x) == []
    assert places(made(LastState), torch.ones(1, 3, 4)) == [("head", False)]


def test_positions_among_the_examples() -> None:
    enter, middle = cuts_of(made(Folding), torch.ones(1, 4, 3))
    assert (enter.groups, enter.shape, middle.example_axis) == (4, (4, 5), 0)
    assert enter.rows(torch.arange(40.0).reshape(8, 5)).tolist() == torch.arange(40.0).reshape(2, 20).tolist()
    assert enter.zeros(3, torch.ones(1)).shape == (12, 5)
    last = last_input(made(Folding), torch.ones(1, 4, 3))
    assert last is not None
    assert (last.example_axis, last.shape) == (1, (4, 1, 6))
    assert (
        last.rows(torch.arange(48.0).reshape(4, 2, 6))[1].tolist()
        == torch.arange(48.0).reshape(4, 2, 6)[:, 1].flatten().tolist()
    )


def test_deep_networks_are_cut_in_eight_places() -> None:
    layers = [layer for _ in range(20) for layer in (nn.Linear(4, 4), nn.Tanh())]
    x, y = torch.ones(6, 4), torch.tensor([0, 1] * 3)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        subject = Subject(nn.Sequential(*layers, nn.Linear(4, 2)), (x, y))
    found = [int(cut.module) // 2 for cut in Evidence(subject)["hidden_cuts"]]
    assert found == [0, 3, 5, 8, 11, 14, 16, 19]


def test_dead_units_do_not_matter_for_where_it_can_be_cut() -> None:
    network = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2))
    with torch.no_grad():
        network[2].bias.fill_(-1e6)
    assert places(Population(network), torch.ones(1, 4)) == [("0", True), ("2", True)]


def test_the_last_input() -> None:
    assert last_input(Population(nn.Linear(4, 2)), torch.ones(1, 4)) is None
    cut = last_input(made(Blocks), torch.ones(1, 4))
    assert cut == Cut("head", False, 0, 1, (1, 4))


def test_only_the_first_call_is_changed_and_queries_are_keys() -> None:
    layer = nn.Linear(2, 2, bias=False)
    with torch.no_grad():
        layer.weight.copy_(torch.eye(2))
    twice = nn.Sequential(layer, layer)
    with intervening(twice, {Cut("0", True, 0, 1, (1, 2)): lambda h: h + 1}):
        assert twice(torch.zeros(1, 2)).tolist() == [[1.0, 1.0]]
    attention = nn.MultiheadAttention(4, 1, batch_first=True)
    outer = nn.Module()
    outer.attention = attention
    x = torch.randn(1, 3, 4, generator=torch.Generator().manual_seed(0))
    with intervening(outer, {Cut("attention", False, 0, 1, (1, 3, 4)): lambda h: 2 * h}):
        changed = attention(x, x, x)[0]
    torch.testing.assert_close(changed, attention(2 * x, 2 * x, 2 * x)[0])
    assert not attention._forward_pre_hooks
