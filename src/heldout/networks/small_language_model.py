"""A small decoder transformer that gives the log-probability of every token given those before it."""

import torch
from torch import Tensor, nn

from heldout.catalog import network
from heldout.engine.subject.documents import Scored
from heldout.records import Refusal


class Block(nn.Module):
    """Causal attention and a GELU layer, each after a norm and added to the stream.

    Args:
        width: Of the stream.
        heads: They share the width.
        hidden: Of the GELU layer.
    """

    def __init__(self, width: int, heads: int, hidden: int) -> None:
        super().__init__()
        self.heads = heads
        self.before_attention, self.before_layer = nn.LayerNorm(width), nn.LayerNorm(width)
        self.query_key_value = nn.Linear(width, 3 * width, bias=False)
        self.attended = nn.Linear(width, width, bias=False)
        self.into, self.out_of = nn.Linear(width, hidden), nn.Linear(hidden, width)
        self.activation = nn.GELU()

    def forward(self, stream: Tensor) -> Tensor:
        """The stream after the block.

        Args:
            stream: ``[N, T, width]``.

        Returns:
            Of the same shape.
        """
        documents, length, width = stream.shape
        projected = self.query_key_value(self.before_attention(stream)).view(documents, length, 3, self.heads, -1)
        query, keys, values = projected[:, :, 0], projected[:, :, 1], projected[:, :, 2]
        scores = torch.einsum("nqhd,nthd->nhqt", query, keys) / (width // self.heads) ** 0.5
        past = torch.ones(length, length, dtype=torch.bool, device=stream.device).tril()
        weights = scores.masked_fill(~past, float("-inf")).softmax(-1)
        stream = stream + self.attended(torch.einsum("nhqt,nthd->nqhd", weights, values).reshape(stream.shape))
        added: Tensor = self.out_of(self.activation(self.into(self.before_layer(stream))))
        return stream + added


class Decoder(nn.Module):
    """Embeddings, blocks, a norm and scores of the next token.

    Args:
        vocabulary: V; one more number marks a document's beginning.
        length: Of the longest document.
        width: Of the stream.
        depth: Blocks.
        heads: Of each.
        hidden: Of each.
    """

    def __init__(self, vocabulary: int, length: int, width: int, depth: int, heads: int, hidden: int) -> None:
        super().__init__()
        self.length = length
        self.tokens = nn.Embedding(vocabulary + 1, width)
        self.positions = nn.Parameter(0.1 * torch.randn(length, width))
        self.blocks = nn.Sequential(*(Block(width, heads, hidden) for _ in range(depth)))
        self.norm, self.unembedding = nn.LayerNorm(width), nn.Linear(width, vocabulary, bias=False)
        nn.init.normal_(self.unembedding.weight, std=1 / width)  # a start near the uniform prediction

    def forward(self, tokens: Tensor) -> Tensor:
        """Scores of the next token at every place.

        Args:
            tokens: ``[N, T]``.

        Returns:
            ``[N, T, V]``.

        Raises:
            Refusal: If the documents are longer than the network.
        """
        if tokens.shape[-1] > self.length:
            raise Refusal(
                given=f"documents had {tokens.shape[-1]} tokens", expected=f"at most {self.length}",
                do="pass length= to as_documents, or build a longer network",
            )  # fmt: skip
        stream = self.tokens(tokens) + self.positions[: tokens.shape[-1]]
        scores: Tensor = self.unembedding(self.norm(self.blocks(stream)))
        return scores


@network(source="Radford et al. 2019 (decoder with norms before attention and layer), made small")
def small_language_model(
    *, vocabulary: int = 256, length: int = 256, width: int = 64, depth: int = 2, heads: int = 4, hidden: int = 256
) -> nn.Module:
    """A decoder transformer on documents ``[N, T]`` that gives the log-probability of every token given those before it.

    Args:
        vocabulary: Tokens; 256 for bytes.
        length: Of the longest document.
        width: Of the residual stream.
        depth: Blocks.
        heads: Of the attention; they share the width.
        hidden: Of the GELU layers.

    Returns:
        The untrained network.

    Raises:
        Refusal: If the heads cannot share the width equally.

    Example:
        >>> model = small_language_model(vocabulary=4, length=6, width=8, heads=2, hidden=8)
        >>> model(torch.tensor([[0, 3, 1], [2, -1, -1]])).shape
        torch.Size([2, 3])
    """
    if width % heads:
        raise Refusal(given=f"heads was {heads} at width {width}", expected="a divisor of the width", do="pass another")
    return Scored(Decoder(vocabulary, length, width, depth, heads, hidden), beginning=vocabulary)
