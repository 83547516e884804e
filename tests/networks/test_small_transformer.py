"""The small transformer, against causal attention written out for every position."""

import pytest
import torch
from torch import nn

from heldout.networks.small_transformer import small_transformer
from heldout.records import Refusal


def written_out(network: nn.Module, tokens: torch.Tensor) -> torch.Tensor:
    """All positions, heads in a loop, with the mask; the last position's scores."""
    weights = {name: tensor.detach().double() for name, tensor in network.named_parameters()}
    heads = network.heads
    stream = weights["tokens.weight"][tokens] + weights["positions"]
    length, width = stream.shape[1:]
    q, k, v = (stream @ part.T for part in weights["query_key_value.weight"].chunk(3))
    mask = torch.full((length, length), -torch.inf, dtype=torch.float64).triu(1)
    pieces = []
    for head in range(heads):
        own = slice(head * width // heads, (head + 1) * width // heads)
        scores = q[..., own] @ k[..., own].mT / (width / heads) ** 0.5 + mask
        pieces.append(scores.softmax(-1) @ v[..., own])
    stream = stream + torch.cat(pieces, -1) @ weights["attended.weight"].T
    hidden = (stream @ weights["into.weight"].T + weights["into.bias"]).clamp(min=0)
    stream = stream + hidden @ weights["out_of.weight"].T + weights["out_of.bias"]
    return (stream @ weights["unembedding.weight"].T)[:, -1]


def test_it_is_causal_attention_read_at_the_end() -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        network = small_transformer(vocabulary=6, outputs=5, length=4, width=12, heads=3, hidden=7)
    tokens = torch.randint(6, (8, 4), generator=torch.Generator().manual_seed(0))
    assert network(tokens).shape == (8, 5)
    torch.testing.assert_close(network(tokens).double(), written_out(network, tokens), rtol=1e-4, atol=1e-4)


def test_heads_that_cannot_share_are_refused() -> None:
    with pytest.raises(Refusal, match="heads"):
        small_transformer(width=10, heads=3)
