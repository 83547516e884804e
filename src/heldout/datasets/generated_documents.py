"""Documents from a Markov chain whose entropy is known."""

import numpy as np
import torch
from torch import Tensor

from heldout.catalog import dataset
from heldout.engine.numerics.markov_chains import sampled, transitions
from heldout.records import Refusal

Pair = tuple[Tensor, Tensor]


@dataset(source="Shannon 1948, sections 3 to 7 (text as a Markov chain, and its entropy)")
def generated_documents(
    *,
    documents: int = 2000,
    length: int = 64,
    shortest: int = 32,
    vocabulary: int = 8,
    concentration: float = 0.3,
    test: int = 1000,
    seed: int = 0,
) -> tuple[Pair, Pair]:
    """Independent documents of a stationary Markov chain, of random lengths; what is missing to the longest is -1.

    ``heldout.engine.numerics.markov_chains`` gives the chain (``transitions`` with the same vocabulary, concentration and seed) and
    its entropy, below which no predictor comes.

    Args:
        documents: For training.
        length: Of the longest, in tokens.
        shortest: Of the shortest; lengths are uniform between.
        vocabulary: Tokens.
        concentration: Of the Dirichlet law of the chain's rows: small is easy to predict.
        test: Documents for testing.
        seed: Of chain and documents.

    Returns:
        ``(tokens, tokens)`` for training and for test, ``[N, T]`` of int64: a language model is to predict what it is given.

    Raises:
        Refusal: If a document could be empty, or there would be none.

    Example:
        >>> (tokens, _), (unseen, _) = generated_documents(documents=5, length=4, shortest=2, test=3)
        >>> tokens.shape, unseen.shape, bool((tokens[:, :2] >= 0).all())
        (torch.Size([5, 4]), torch.Size([3, 4]), True)
    """
    if not 1 <= shortest <= length:
        raise Refusal(
            given=f"shortest was {shortest} and length {length}", expected="1 <= shortest <= length", do="correct them"
        )
    if documents < 1 or test < 1:
        raise Refusal(given=f"documents was {documents} and test {test}", expected="at least 1 of each", do="pass more")
    generator = np.random.default_rng([seed, 12])
    matrix = transitions(vocabulary, concentration=concentration, seed=seed)
    tokens = sampled(matrix, documents + test, length, generator)
    lengths = generator.integers(shortest, length + 1, size=(documents + test, 1))
    padded = torch.from_numpy(np.where(np.arange(length) < lengths, tokens, -1))
    return (padded[:documents], padded[:documents]), (padded[documents:], padded[documents:])
