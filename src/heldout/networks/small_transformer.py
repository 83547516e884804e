"""A one-layer decoder transformer without layer norm."""

import torch
from torch import Tensor, nn

from heldout.catalog import network
from heldout.records import Refusal


class SmallTransformer(nn.Module):
    """Embedding, causal attention and a ReLU layer, each added to the stream; read at the last position."""

    def __init__(self, vocabulary: int, outputs: int, length: int, width: int, heads: int, hidden: int) -> None:
        super().__init__()
        self.heads = heads
        self.tokens = nn.Embedding(vocabulary, width)
        self.positions = nn.Parameter(torch.randn(length, width) / width**0.5)
        self.query_key_value = nn.Linear(width, 3 * width, bias=False)
        self.attended = nn.Linear(width, width, bias=False)
        self.into, self.out_of = nn.Linear(width, hidden), nn.Linear(hidden, width)
        self.unembedding = nn.Linear(width, outputs, bias=False)
        self.activation = nn.ReLU()
        for weight in (self.tokens, self.query_key_value, self.attended, self.into, self.out_of, self.unembedding):
            nn.init.normal_(weight.weight, std=weight.weight.shape[1] ** -0.5)

    def forward(self, tokens: Tensor) -> Tensor:
        """Scores of the last position.

        Only that position's query is asked: with one layer the causal mask hides nothing from it.

        Args:
            tokens: ``[N, T]``.

        Returns:
            ``[N, C]``.
        """
        stream = self.tokens(tokens) + self.positions
        examples, length, width = stream.shape
        # The key's and value's projections are seen by every position, the query's by the last alone.
        projected = self.query_key_value(stream).view(examples, length, 3, self.heads, -1)
        query, keys, values = projected[:, -1, 0], projected[:, :, 1], projected[:, :, 2]
        scores = torch.einsum("nhd,nthd->nht", query, keys) / (width // self.heads) ** 0.5
        attended = torch.einsum("nht,nthd->nhd", scores.softmax(-1), values).reshape(examples, width)
        last = stream[:, -1] + self.attended(attended)
        return self.unembedding(last + self.out_of(self.activation(self.into(last))))


@network(source="Nanda et al. 2023, section 3")
def small_transformer(
    *, vocabulary: int = 114, outputs: int = 113, length: int = 3, width: int = 128, heads: int = 4, hidden: int = 512
) -> nn.Module:
    """One layer of a decoder without layer norm, on tokens ``[N, T]``, read at the last position.

    Args:
        vocabulary: Tokens.
        outputs: Classes.
        length: T.
        width: Of the residual stream.
        heads: Of the attention; they share the width.
        hidden: Of the ReLU layer.

    Returns:
        The untrained network.

    Raises:
        Refusal: If the heads cannot share the width equally.

    Example:
        >>> small_transformer(width=16, heads=2, hidden=8)(torch.zeros(5, 3, dtype=torch.int64)).shape
        torch.Size([5, 113])
    """
    if width % heads:
        raise Refusal(given=f"heads was {heads} at width {width}", expected="a divisor of the width", do="pass another")
    return SmallTransformer(vocabulary, outputs, length, width, heads, hidden)
