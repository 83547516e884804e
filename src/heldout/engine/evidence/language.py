"""Language models that short messages hold: their bounded loss on every training document, and on all training tokens."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from heldout.catalog import evidence
from heldout.engine.compression.compressing import STEPS, Compressed, compressed
from heldout.engine.compression.low_rank import LOW_RANK_KINDS, low_rank_of
from heldout.engine.compression.receiving import check_received
from heldout.engine.evidence.weights import has_initial_weights
from heldout.engine.numerics.smoothed_loss import SHARE_BITS, SHARES, smoothed_bits
from heldout.engine.population import Population, stream
from heldout.engine.subject import Examples, Subject
from heldout.engine.subject.documents import DocumentLoss
from heldout.engine.training import Recipe
from heldout.records import NotApplicable, Refusal

Floats = NDArray[np.float64]
FEWEST = 20  # documents
#: Dimensions: shares of the documents, for the bound on these, and a share of the tokens, for the bound on those.
DOCUMENT_SHARES, TOKEN_SHARE, MOST = (0.03, 0.1), 0.01, 2000
TRIED, CODEBOOKS = ("all", "rank-4"), ((5, True), (9, True))
SUBSAMPLE = 10000  # documents at most, and half of them, for the bound that evaluates no more
CHECKED = 4096  # tokens of a vocabulary at most whose probabilities are added up


@dataclass(frozen=True, slots=True, eq=False)
class LanguageCodes:
    """Compressed language models, G for each member, each with predictions smoothed by A shares.

    Attributes:
        document_losses: Mean smoothed bits a token of each of N documents, ``[G, A, M, N]``.
        token_losses: Mean smoothed bits of all tokens, ``[G, A, M]``.
        tokens: T, how many these are.
        bits: Length of the message, the choice of the share included, ``[G, M]``.
        vocabulary: V.
        shares: The A shares.
        subsample: Some of the documents, drawn without a look at them or at the models.
        parts: Part of the message -> bits, one for each of G and M; empty for problems that are simulated.
        unseen: As ``document_losses``, of test documents; None where there are none.
        networks: The decoded networks, one population for each of G; empty for problems that are simulated.
        data: Role -> which documents, in words.
    """

    document_losses: Floats
    token_losses: Floats
    tokens: int
    bits: Floats
    vocabulary: int
    shares: tuple[float, ...] = SHARES
    subsample: NDArray[np.int64] | None = None
    parts: tuple[tuple[Mapping[str, float], ...], ...] = ()
    unseen: Floats | None = None
    networks: tuple[Population, ...] = ()
    data: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse lengths that no prefix-free code has."""
        sums = len(self.shares) * np.exp2(-self.bits).sum(0)
        if sums.max(initial=0.0) > 1 + 1e-12:
            raise Refusal(
                given=f"messages of {len(self.bits)} models with {len(self.shares)} shares had a Kraft sum of {sums.max():.3g}",
                expected="at most 1: the choice of the share has to be paid for too",
                do="add its bits to every message",
            )


def is_language_model(subject: Subject) -> None:
    """Demand a network that scores the tokens of documents, the same untrained, and enough documents.

    Args:
        subject: What is under study.

    Raises:
        NotApplicable: If one is missing.
    """
    if not isinstance(subject.loss, DocumentLoss):
        raise NotApplicable(
            f"loss '{subject.loss.name}' is none of documents",
            do="pass loss=document_loss(vocabulary) with a network that gives the log-probability of every token",
        )
    has_initial_weights(subject)
    if subject.train.x_per_member or subject.train.y_per_member:
        raise NotApplicable("every member has documents of its own", do="pass documents that all share")
    if len(subject.train) < FEWEST:
        raise NotApplicable(f"there are only {len(subject.train)} documents", do=f"pass at least {FEWEST}")


@evidence(forward=200, backward=150, requires=is_language_model)
def language_codes(subject: Subject, recipe: Recipe, seed: int) -> LanguageCodes:
    """Language models trained in random subspaces of low-rank changes around the untrained ones, coded and decoded again.

    Args:
        subject: With its untrained networks.
        recipe: Of which steps (at most 1,500), batch size and the order of documents are taken.
        seed: Of the subspaces, agreed on beforehand, of the training and of the subsample.

    Returns:
        Their losses on all training documents, and their messages.
    """
    loss, start = subject.loss, subject.initial
    assert isinstance(loss, DocumentLoss)  # is_language_model was asked first
    assert start is not None
    documents = subject.train
    tokens: Tensor = documents.x
    check_scores(start, tokens, loss.vocabulary, seed)
    count, size = len(documents), int((tokens >= 0).sum())
    sizes = [*(int(share * count) for share in DOCUMENT_SHARES), int(TOKEN_SHARE * size)]
    dimensions = sorted({max(1, min(each, MOST, start.size // 2)) for each in sizes})
    own = recipe.but(loss=loss.per_example, batch_size=min(recipe.batch_size or count, count))
    found: list[Compressed] = []
    for dimension in dimensions:
        for kind in TRIED:
            found += compressed(
                start, Examples(tokens, tokens), own, dimension=dimension, codebooks=CODEBOOKS, seed=seed, kind=kind,
                steps=max(1, min(recipe.steps, STEPS)), kinds=LOW_RANK_KINDS, projecting=low_rank_of,
            )  # fmt: skip
    for one in found:
        check_received(one, start, seed=seed, kinds=LOW_RANK_KINDS, projecting=low_rank_of)
    each = [losses_of_documents(one.networks, tokens, loss.vocabulary) for one in found]
    order = torch.randperm(count, generator=stream(seed, "language subsample")).numpy()
    repeats = count - len(torch.unique(tokens, dim=0))
    return LanguageCodes(
        document_losses=np.stack([documents for documents, _ in each]),
        token_losses=np.stack([means for _, means in each]),
        tokens=size,
        bits=np.array([[len(message) + float(SHARE_BITS) for message in one.messages] for one in found]),
        vocabulary=loss.vocabulary,
        subsample=order[: min(SUBSAMPLE, max(1, count // 2))],
        parts=tuple(
            tuple({**message.parts, "smoothing": float(SHARE_BITS)} for message in one.messages) for one in found
        ),
        unseen=None
        if subject.test is None
        else np.stack([losses_of_documents(one.networks, subject.test.x, loss.vocabulary)[0] for one in found]),
        networks=tuple(one.networks for one in found),
        data={
            "starting point": "the networks before training, as the user declares: no document took part",
            "message": f"all {count} training documents",
            "bound": f"all {count} training documents, their first {tokens.shape[1]} tokens, {size} in all"
            + (f"; {repeats} of them repeat another, and are assumed to be draws of their own" if repeats else ""),
        },
    )


def losses_of_documents(networks: Population, tokens: Tensor, vocabulary: int) -> tuple[Floats, Floats]:
    """Smoothed losses for every share.

    Args:
        networks: The members.
        tokens: ``[N, T]``, -1 after a document's end.
        vocabulary: V.

    Returns:
        Means of documents ``[A, M, N]``, and means of all tokens ``[A, M]``.
    """
    log_probabilities, there = networks(tokens).double().cpu().numpy(), (tokens >= 0).cpu().numpy()
    documents, means = [], []
    for share in SHARES:
        sums = np.where(there, smoothed_bits(log_probabilities, share, vocabulary), 0.0).sum(-1)
        documents.append(sums / there.sum(-1))
        means.append(sums.sum(-1) / there.sum())
    return np.stack(documents), np.stack(means)


def check_scores(networks: Population, tokens: Tensor, vocabulary: int, seed: int) -> None:
    """Refuse networks that look ahead, or whose probabilities of one token are not those of a distribution.

    Args:
        networks: The members.
        tokens: Documents ``[N, T]``.
        vocabulary: V.
        seed: Of the document, the place and the tokens that are tried.

    Raises:
        Refusal: If either shows.
    """
    if int(tokens.max()) >= vocabulary:
        raise Refusal(
            given=f"train x has token {int(tokens.max())}", expected=f"tokens below the vocabulary of {vocabulary}",
            do="pass document_loss(vocabulary) of the tokenizer's size",
        )  # fmt: skip
    draw = stream(seed, "language check")
    longest = int((tokens >= 0).sum(1).argmax())
    one = tokens[longest : longest + 1, : int((tokens[longest] >= 0).sum())]
    place = int(torch.randint(one.shape[1], (1,), generator=draw))
    other = one.clone()
    other[:, place:] = (
        one[:, place:] + 1 + torch.randint(vocabulary - 1, one[:, place:].shape, generator=draw)
    ) % vocabulary
    same, changed = networks(one), networks(other)
    if not torch.allclose(same[..., :place], changed[..., :place], atol=1e-4):
        raise Refusal(
            given=f"the score of a token before place {place} changed with the tokens from there on",
            expected="a network that sees only what comes before a token", do="mask the attention, or shift the inputs by one",
        )  # fmt: skip
    every = one.repeat(min(vocabulary, CHECKED), 1)
    every[:, place] = torch.arange(len(every))
    total = networks(every)[..., place].double().exp().sum(-1)
    if bool((total > 1.001).any()) or (len(every) == vocabulary and bool((total < 0.999).any())):
        raise Refusal(
            given=f"the probabilities of all tokens at one place add up to {float(total.max()):.4g}",
            expected="1", do="give natural logarithms of probabilities, as heldout.engine.subject.documents.Scored does",
        )  # fmt: skip
