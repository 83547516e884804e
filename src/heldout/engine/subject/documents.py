"""Documents as examples: tokens of any length, networks that score each token given those before it, and their bounded loss."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from heldout.engine.numerics.smoothed_loss import span
from heldout.engine.subject.examples import Examples
from heldout.engine.subject.losses import Loss
from heldout.records import Refusal

NO_TOKEN = -1  # stands where a document has ended
PER_DOCUMENT = "bits per token, a document's mean"


@dataclass(frozen=True, slots=True)
class DocumentLoss(Loss):
    """The loss of a language model on a document: mean bits a token, bounded by smoothing.

    Attributes:
        vocabulary: V.
        smoothing: Share of the probability that is spread evenly; declared before the held-out documents are seen.
    """

    vocabulary: int = 256
    smoothing: float = 0.01

    @property
    def span(self) -> tuple[float, float]:
        """Smallest and largest value, to be passed as ``loss_range``."""
        return span(self.smoothing, self.vocabulary)


def document_loss(vocabulary: int = 256, *, smoothing: float = 0.01) -> DocumentLoss:
    """Mean bits a token of a document, where the network gives the log-probability of every token.

    Args:
        vocabulary: V; 256 for bytes.
        smoothing: Alpha.

    Returns:
        The loss; pass ``loss_range=loss.span`` with it.

    Example:
        >>> loss = document_loss(4, smoothing=0.5)
        >>> loss.per_example(torch.zeros(1, 2), torch.tensor([[3, -1]])).round(decimals=3)  # one token, foretold with certainty
        tensor([0.6780])
    """
    low, high = span(smoothing, vocabulary)

    def per_example(log_probabilities: Tensor, tokens: Tensor) -> Tensor:
        there = tokens >= 0
        p = torch.where(there, log_probabilities, 0.0).clamp(max=0.0).exp()
        bits = (-torch.log2((1 - smoothing) * p + smoothing / vocabulary)).clamp(low, high)
        return torch.where(there, bits, 0.0).sum(-1) / there.sum(-1)

    name = f"{PER_DOCUMENT} (smoothing {smoothing:g})"
    return DocumentLoss(name, "regression", per_example, vocabulary, smoothing)


def as_documents(texts: Sequence[str | bytes | Sequence[int]] | Tensor | np.ndarray, length: int = 256) -> Examples:
    """Documents as examples: the first tokens of each, of bytes where they are text.

    Args:
        texts: Strings (UTF-8), bytes, lists of token numbers, or a table ``[N, T]`` in which -1 stands after a document's end.
        length: Tokens of a document that count; later ones are left out, here and in every statement.

    Returns:
        Examples with tokens ``[N, T]`` as inputs and as what is to be predicted.

    Raises:
        Refusal: If a document is empty or holds no token numbers.

    Example:
        >>> as_documents(["ab", "c"]).x.tolist()
        [[97, 98], [99, -1]]
    """
    if isinstance(texts, str | bytes):
        raise Refusal(given="texts was one string", expected="a sequence of documents", do="pass texts.split('\\n\\n')")
    rows = [np.frombuffer(t.encode() if isinstance(t, str) else t, dtype=np.uint8) if isinstance(t, str | bytes)
            else np.asarray(t) for t in texts]  # fmt: skip
    rows = [row[row != NO_TOKEN][:length] for row in rows]
    for place, row in enumerate(rows):
        if row.ndim != 1 or not len(row) or row.dtype.kind not in "iu" or row.min() < 0:
            raise Refusal(
                given=f"document {place} was {'empty' if not row.size else 'no row of token numbers from 0'}",
                expected="at least one token in every document", do="leave it out, or number its tokens",
            )  # fmt: skip
    if not rows:
        raise Refusal(given="texts held no document", expected="at least one", do="pass documents")
    table = np.full((len(rows), max(map(len, rows))), NO_TOKEN, dtype=np.int64)
    for place, row in enumerate(rows):
        table[place, : len(row)] = row
    tokens = torch.from_numpy(table)
    return Examples(tokens, tokens)


class Scored(nn.Module):
    """A causal network from tokens ``[N, T]`` to scores ``[N, T, V]`` of the next one, as log-probabilities of the tokens themselves.

    The first token is predicted from a mark of the beginning; what follows a document's end scores 0.

    Args:
        network: Its scores at place t are for token t + 1.
        beginning: Token number that stands before every document.
    """

    def __init__(self, network: nn.Module, beginning: int = 0) -> None:
        super().__init__()
        self.network, self.beginning = network, beginning

    def forward(self, tokens: Tensor) -> Tensor:
        """Log-probability of every token given those before it.

        Args:
            tokens: ``[N, T]``, -1 after the end.

        Returns:
            ``[N, T]``, natural logarithms.
        """
        known = tokens.clamp(min=0)
        shifted = torch.nn.functional.pad(known, (1, 0), value=self.beginning)[..., :-1]
        scores = self.network(shifted).log_softmax(-1)
        chosen = scores.gather(-1, known.unsqueeze(-1)).squeeze(-1)
        return torch.where(tokens >= 0, chosen, 0.0)
