"""The matrices whose spectra say something: layers as whole matrices, fused ones taken apart, and why others are left out."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from heldout.engine.population.stack import Population

GATES: tuple[tuple[tuple[type, ...], tuple[str, ...]], ...] = (
    ((nn.LSTM, nn.LSTMCell), ("input gate", "forget gate", "cell", "output gate")),
    ((nn.GRU, nn.GRUCell), ("reset gate", "update gate", "candidate")),
)
CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
PARTS = ("query", "key", "value")
#: Modules that hold queries, keys and values one below the other (torch, timm, nanoGPT and Hugging Face's GPT-2).
FUSED = ("qkv", "qkv_proj", "Wqkv", "to_qkv", "c_attn")
SINGLE = {
    name: part for part, names in zip(PARTS, (
        ("q_proj", "query", "to_q", "q_proj_weight"), ("k_proj", "key", "to_k", "k_proj_weight"),
        ("v_proj", "value", "to_v", "v_proj_weight"),
    ), strict=True) for name in names
}  # fmt: skip
HEADS = ("num_heads", "n_head", "num_attention_heads", "n_heads", "heads")
NORMALISATION = re.compile(r"[Nn]orm(\d[dD])?$")
ADAPTER = re.compile(r"^(?P<before>.*)lora_(?P<embedding>embedding_)?A(?P<after>\..+)?$")


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """One linear map, read as matrices.

    Attributes:
        layer: The parameter's name; of a computed weight, the name that the module gives it; of an adapter, that of its A.
        part: Of a fused layer, such as ``"forget gate"`` or ``"query"``; empty for a whole layer.
        kind: ``dense``, ``convolution``, ``recurrent``, ``attention``, ``embedding``, ``low-rank`` or ``table``.
        matrices: ``[M, B, rows, columns]``; the spectra of the B (groups of a convolution) are pooled.
        right: Of a low-rank update, the factor ``[M, B, rank, columns]`` that the matrices ``[M, B, rows, rank]`` multiply.
        heads: Among which the rows are shared out.
        positions: Of a convolution, one matrix a kernel position and group, ``[M, B, rows, columns]``.
        note: What should be known beside the numbers.
    """

    layer: str
    part: str
    kind: str
    matrices: Tensor
    right: Tensor | None = None
    heads: int = 1
    positions: Tensor | None = None
    note: str = ""

    @property
    def name(self) -> str:
        """Layer and part."""
        return f"{self.layer}[{self.part}]" if self.part else self.layer

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the map."""
        return self.matrices.shape[2], (self.matrices if self.right is None else self.right).shape[3]


@dataclass(frozen=True, slots=True, eq=False)
class Blocks:
    """All of them.

    Attributes:
        analysed: Name -> block, in the order of the module.
        left_out: Parameter -> why its spectrum is not read.
    """

    analysed: dict[str, Block]
    left_out: dict[str, str]


def blocks_of(population: Population) -> Blocks:
    """Every parameter with two or more axes, as blocks or with the reason why not; biases and scales have one axis.

    Gates of recurrent layers and the queries, keys and values of attention stand apart. Groups of a convolution are matrices of
    their own. Of a parametrised weight (weight norm, orthogonal maps, adapters) the matrix it computes is read. Two
    parameters named ``lora_A`` and ``lora_B`` are one update B A; its scale, which moves no shape, is left out.

    Args:
        population: The networks.

    Returns:
        The blocks.
    """
    template, parameters = population.template, population.parameters
    found: list[Block] = []
    left_out: dict[str, str] = {}
    taken: set[str] = set()
    for name in parameters:
        match = ADAPTER.match(name)
        other = match and f"{match['before']}lora_{match['embedding'] or ''}B{match['after'] or ''}"
        if other and other in parameters:
            one, two = parameters[other].flatten(2), parameters[name].flatten(2)
            taken |= {name, other}
            if one.ndim == two.ndim == 3 and one.shape[2] == two.shape[1]:
                found.append(Block(name, "B A", "low-rank", one.unsqueeze(1), two.unsqueeze(1)))
            else:
                left_out[name] = f"shapes {tuple(one.shape[1:])} of B and {tuple(two.shape[1:])} of A do not multiply"
    order = {name: place for place, name in enumerate(parameters)}
    for name, weight, inside in _computed(population):
        taken |= inside
        order[name] = min(order[each] for each in inside)
        found += _read(template, name, weight, left_out)
    for name, weight in parameters.items():
        if name not in taken and weight.ndim > 2:
            found += _read(template, name, weight, left_out)
    found.sort(key=lambda block: order[block.layer])
    return Blocks({block.name: block for block in found}, left_out)


def _computed(population: Population) -> Iterator[tuple[str, Tensor, set[str]]]:
    """Weights that parametrisations compute, with the parameters they are made of."""
    for owner, module in population.template.named_modules():
        for name, steps in getattr(module, "parametrizations", {}).items():
            prefix = f"{owner}.parametrizations.{name}.".removeprefix(".")
            inside = {key for key in population.parameters if key.startswith(prefix)}
            every = {**population.parameters, **population.buffers}
            own = {key.removeprefix(prefix): stack for key, stack in every.items() if key.startswith(prefix)}
            weight = _evaluated(steps, own)
            if weight.ndim > 2:
                yield f"{owner}.{name}".removeprefix("."), weight, inside


def _evaluated(steps: nn.Module, tensors: dict[str, Tensor]) -> Tensor:
    """A parametrisation's output for every member."""
    members = len(next(iter(tensors.values())))
    # one by one: a parametrisation may hold what vmap has no rule for, and it is small beside the data
    rows = [functional_call(steps, {key: stack[m] for key, stack in tensors.items()}, ()) for m in range(members)]
    return torch.stack(rows).detach()


def _read(template: nn.Module, name: str, weight: Tensor, left_out: dict[str, str]) -> list[Block]:
    """The blocks of one weight ``[M, ...]``; none, and a reason, where it is no matrix."""
    owner, _, attribute = name.rpartition(".")
    module = template.get_submodule(owner)
    make: Callable[..., Block] = lambda *rest, **more: Block(name, *rest, **more)  # noqa: E731
    if isinstance(module, (*CONVOLUTIONS, *TRANSPOSED)) and attribute == "weight":
        return [_convolution(name, module, weight)]
    if weight.ndim == 4 and weight.shape[1] == 1 and min(weight.shape[2:]) > 1:
        return [make("", "table", weight)]  # a learnt position table is stored (1, length, width)
    if NORMALISATION.search(type(module).__name__):
        left_out[name] = "the scale or shift of a normalisation is no matrix"
    elif weight.numel() // len(weight) == max(weight.shape[1:]) and weight.ndim > 3:
        left_out[name] = "one vector in several axes has no spectrum"
    elif weight.ndim > 3:
        left_out[name] = f"{weight.ndim - 1} axes in a {type(module).__name__}: which of them are inputs is not known"
    elif isinstance(module, (nn.RNNBase, nn.RNNCellBase)):
        gates = next((names for kinds, names in GATES if isinstance(module, kinds) and "hr" not in attribute), ("",))
        rows = weight.unsqueeze(1).chunk(len(gates), 2)
        return [make(gate, "recurrent", part) for gate, part in zip(gates, rows, strict=True)]
    elif isinstance(module, nn.Embedding | nn.EmbeddingBag):
        return [make("", "embedding", weight.unsqueeze(1))]
    else:
        return _dense(template, name, module, weight)
    return []


def _dense(template: nn.Module, name: str, module: nn.Module, weight: Tensor) -> list[Block]:
    """A dense layer, taken apart where it computes queries, keys and values."""
    owner, _, attribute = name.rpartition(".")
    parent, _, called = owner.rpartition(".")
    if type(module).__name__.endswith("Conv1D"):  # of Hugging Face: stored (in, out)
        weight = weight.mT
    rows, columns = weight.shape[1:]
    own = isinstance(module, nn.MultiheadAttention)
    heads = _heads(module if own else template.get_submodule(parent))
    if rows == 3 * columns and (attribute == "in_proj_weight" if own else called in FUSED):
        parts = zip(PARTS, weight.unsqueeze(1).chunk(3, 2), strict=True)
        return [Block(name, p, "attention", w, heads=heads if columns % heads == 0 else 1) for p, w in parts]
    part = SINGLE.get(attribute if own else called)
    if part:
        heads = _heads(template.get_submodule(parent), "num_key_value_heads") if part != "query" and not own else heads
        return [Block(name, "", "attention", weight.unsqueeze(1), heads=heads if rows % heads == 0 else 1)]
    fused = "query" in called and "key" in called
    note = "queries, keys and values in one matrix, in an order that its name does not say" if fused else ""
    return [Block(name, "", "dense", weight.unsqueeze(1), note=note)]


def _heads(module: Any, *first: str) -> int:
    """How many heads a module says it has; 1 where it says nothing."""
    known = (getattr(module, name, None) for name in (*first, *HEADS))
    return next((number for number in known if isinstance(number, int) and number > 0), 1)


def _convolution(name: str, module: Any, weight: Tensor) -> Block:
    """One matrix (out, in * receptive field) a group, and one (out, in) a group and kernel position."""
    members, groups = len(weight), module.groups
    grouped = weight.reshape(members, groups, weight.shape[1] // groups, *weight.shape[2:])
    if isinstance(module, TRANSPOSED):
        grouped = grouped.transpose(2, 3)
    at = grouped.flatten(4).movedim(4, 1).flatten(1, 2)
    note = f"spectra of {groups} groups, pooled" if groups > 1 else ""
    return Block(name, "", "convolution", grouped.flatten(3), positions=at, note=note)
