"""Which matrices are read: every kind of layer taken apart as its equations say, and reasons for the rest."""

import pytest
import torch
from torch import Tensor, nn

from heldout.engine.population import Block, Blocks, Population, blocks_of


def blocks(*networks: nn.Module) -> Blocks:
    return blocks_of(Population(list(networks)))


def same(block: Block, *members: Tensor) -> None:
    """The block's matrices are these, one ``[B, rows, columns]`` a member."""
    torch.testing.assert_close(block.matrices, torch.stack(members).detach(), rtol=0, atol=0)


@pytest.mark.parametrize(
    ("kind", "gates"),
    [
        (nn.LSTM, ("input gate", "forget gate", "cell", "output gate")),
        (nn.GRU, ("reset gate", "update gate", "candidate")),
        (nn.RNN, ("",)),
        (nn.LSTMCell, ("input gate", "forget gate", "cell", "output gate")),
        (nn.GRUCell, ("reset gate", "update gate", "candidate")),
    ],
)
def test_gates_stand_apart(kind: type[nn.Module], gates: tuple[str, ...]) -> None:
    layer = kind(3, 5)
    found = blocks(layer)
    stored = [(name, weight) for name, weight in layer.named_parameters() if weight.ndim == 2]
    assert [block.name for block in found.analysed.values()] == [
        f"{name}[{gate}]" if gate else name for name, _ in stored for gate in gates
    ]
    for name, weight in stored:
        for place, gate in enumerate(gates):
            block = found.analysed[f"{name}[{gate}]" if gate else name]
            same(block, weight[None, 5 * place : 5 * (place + 1)])
            assert block.kind == "recurrent"


def test_a_gate_does_what_its_name_says() -> None:
    # a forget gate held open and an input gate held shut keep the cell as it is (Hochreiter & Schmidhuber 1997; Gers et al. 2000)
    cell = nn.LSTMCell(2, 3, bias=True)
    found = blocks(cell).analysed
    cell.bias_hh.data.zero_()
    cell.bias_ih.data = torch.cat([torch.full((3,), -60.0), torch.full((3,), 60.0), torch.zeros(6)])
    before = torch.tensor([[0.3, -0.2, 0.1]])
    _, after = cell(torch.zeros(1, 2), (torch.zeros(1, 3), before))
    torch.testing.assert_close(after, before)
    same(found["weight_ih[input gate]"], cell.weight_ih[None, :3])
    same(found["weight_ih[forget gate]"], cell.weight_ih[None, 3:6])


def test_bidirectional_and_projected_recurrence() -> None:
    layer = nn.LSTM(3, 6, proj_size=2, bidirectional=True)
    found = blocks(layer).analysed
    same(found["weight_hr_l0_reverse"], layer.weight_hr_l0_reverse[None])
    assert found["weight_hh_l0[cell]"].shape == (6, 2)
    assert len(found) == 2 * (4 + 4 + 1)


def test_attention_of_torch() -> None:
    layers = [nn.MultiheadAttention(6, 3), nn.MultiheadAttention(6, 3)]
    found = blocks(*layers)
    for place, part in enumerate(("query", "key", "value")):
        block = found.analysed[f"in_proj_weight[{part}]"]
        same(block, *(layer.in_proj_weight[None, 6 * place : 6 * (place + 1)] for layer in layers))
        assert (block.heads, block.kind) == (3, "attention")
    assert found.analysed["out_proj.weight"].kind == "dense"
    apart = blocks(nn.MultiheadAttention(6, 3, kdim=4, vdim=5, add_bias_kv=True))
    assert [(b.name, b.shape, b.heads) for b in apart.analysed.values()][:3] == [
        ("q_proj_weight", (6, 6), 3), ("k_proj_weight", (6, 4), 3), ("v_proj_weight", (6, 5), 3),
    ]  # fmt: skip
    assert set(apart.left_out) == {"bias_k", "bias_v"}
    assert all("one vector" in reason for reason in apart.left_out.values())


class Conv1D(nn.Module):
    """As Hugging Face's GPT-2 stores a dense layer: (in, out)."""

    def __init__(self, outputs: int, inputs: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(inputs, outputs))


class Attention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.num_heads, self.num_key_value_heads = 4, 2
        self.c_attn, self.c_proj = Conv1D(24, 8), Conv1D(8, 8)
        self.qkv = nn.Linear(8, 24)
        self.q_proj, self.k_proj = nn.Linear(8, 8), nn.Linear(8, 4)
        self.query_key_value = nn.Linear(8, 24)


def test_attention_of_others() -> None:
    layer = Attention()
    found = blocks(layer).analysed
    same(found["c_attn.weight[key]"], layer.c_attn.weight.T[None, 8:16])
    same(found["c_proj.weight"], layer.c_proj.weight.T[None])
    same(found["qkv.weight[value]"], layer.qkv.weight[None, 16:])
    assert [found[name].heads for name in ("qkv.weight[query]", "q_proj.weight", "k_proj.weight")] == [4, 4, 2]
    assert found["query_key_value.weight"].heads == 1  # some interleave the heads: it is not guessed
    assert "order that its name does not say" in found["query_key_value.weight"].note


@pytest.mark.parametrize("groups", [1, 2, 6])
def test_convolutions(groups: int) -> None:
    layer = nn.Conv2d(6, 12, (3, 2), groups=groups)
    block = blocks(layer).analysed["weight"]
    out, into = 12 // groups, 6 // groups
    same(block, torch.stack([layer.weight[g * out : (g + 1) * out].reshape(out, -1) for g in range(groups)]))
    assert block.positions is not None
    assert block.positions.shape == (1, 6 * groups, out, into)
    torch.testing.assert_close(
        block.positions[0, 3 * groups], layer.weight[:out, :, 1, 1].detach()
    )  # place (1, 1) is the fourth
    assert bool(block.note) == (groups > 1)


@pytest.mark.parametrize("groups", [1, 2])
def test_transposed_convolutions_turn_around(groups: int) -> None:
    layer = nn.ConvTranspose1d(4, 6, 3, groups=groups)
    block = blocks(layer).analysed["weight"]
    into = 4 // groups
    expected = [
        torch.stack([layer.weight[g * into + i, o] for o in range(6 // groups) for i in range(into)]).reshape(
            6 // groups, -1
        )
        for g in range(groups)
    ]
    same(block, torch.stack(expected))


class LowRank(nn.Module):
    """Adapters as peft names them, and one as loralib does."""

    def __init__(self) -> None:
        super().__init__()
        self.base = nn.Linear(7, 9)
        self.lora_A, self.lora_B = (nn.ModuleDict({"default": nn.Linear(*s, bias=False)}) for s in ((7, 2), (2, 9)))
        self.lora_embedding_A = nn.ParameterDict({"default": torch.randn(3, 20)})
        self.lora_embedding_B = nn.ParameterDict({"default": torch.randn(5, 3)})
        self.old = nn.Module()
        self.old.register_parameter("lora_A", nn.Parameter(torch.randn(2, 4, 3, 3)))
        self.old.register_parameter("lora_B", nn.Parameter(torch.randn(6, 2, 1, 1)))
        self.odd = nn.Module()
        self.odd.register_parameter("lora_A", nn.Parameter(torch.randn(3, 4)))
        self.odd.register_parameter("lora_B", nn.Parameter(torch.randn(6, 2)))


def test_low_rank_updates_are_one_matrix() -> None:
    network = LowRank()
    found = blocks(network)
    assert list(found.analysed) == [
        "base.weight", "lora_A.default.weight[B A]", "lora_embedding_A.default[B A]", "old.lora_A[B A]",
    ]  # fmt: skip
    block = found.analysed["lora_A.default.weight[B A]"]
    assert block.right is not None
    assert (block.kind, block.shape) == ("low-rank", (9, 7))
    product = network.lora_B["default"].weight @ network.lora_A["default"].weight
    torch.testing.assert_close((block.matrices @ block.right)[0, 0], product.detach())
    assert found.analysed["old.lora_A[B A]"].shape == (6, 36)
    assert found.analysed["lora_embedding_A.default[B A]"].shape == (5, 20)
    assert "do not multiply" in found.left_out["odd.lora_A"]


class Added(nn.Module):
    """W + B A as a parametrisation."""

    def __init__(self) -> None:
        super().__init__()
        self.lora_A, self.lora_B = nn.Parameter(torch.randn(2, 5)), nn.Parameter(torch.randn(4, 2))

    def forward(self, weight: Tensor) -> Tensor:
        return weight + self.lora_B @ self.lora_A


def test_parametrised_weights_are_computed() -> None:
    plain, adapted = nn.utils.parametrizations.weight_norm(nn.Linear(5, 4)), nn.Linear(5, 4)
    nn.utils.parametrize.register_parametrization(adapted, "weight", Added())
    network = nn.Sequential(plain, adapted, nn.utils.parametrizations.weight_norm(nn.Conv1d(4, 6, 3)))
    found = blocks(network)
    assert set(found.analysed) == {"0.weight", "1.weight", "1.parametrizations.weight.0.lora_A[B A]", "2.weight"}
    torch.testing.assert_close(found.analysed["0.weight"].matrices[0, 0], plain.weight.detach())
    torch.testing.assert_close(found.analysed["1.weight"].matrices[0, 0], adapted.weight.detach())
    assert found.analysed["2.weight"].shape == (6, 12)
    assert found.left_out == {}


class Odd(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.position = nn.Parameter(torch.randn(1, 7, 4))
        self.token = nn.Parameter(torch.randn(1, 1, 4))
        self.heads = nn.Parameter(torch.randn(2, 4, 4))
        self.norm = nn.LayerNorm((3, 4))
        self.words = nn.Embedding(9, 4)
        self.out = nn.Linear(4, 9, bias=False)
        self.out.weight = self.words.weight


def test_tables_vectors_ties_and_what_is_not_known() -> None:
    found = blocks(Odd())
    assert {name: block.kind for name, block in found.analysed.items()} == {
        "position": "table",
        "words.weight": "embedding",
    }
    assert set(found.left_out) == {"token", "heads", "norm.weight", "norm.bias"}
    assert "3 axes in a Odd" in found.left_out["heads"]
    assert "normalisation" in found.left_out["norm.weight"]
