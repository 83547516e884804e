"""Coded language models: losses against the decoded networks, prices, checks of causality and of probabilities."""

import copy
from functools import cache

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from heldout import Recipe, Subject
from heldout.datasets.generated_documents import generated_documents
from heldout.engine.evidence import language
from heldout.engine.evidence.language import LanguageCodes, check_scores, is_language_model, language_codes
from heldout.engine.numerics.smoothed_loss import SHARES
from heldout.engine.population import Population
from heldout.engine.subject.documents import document_loss
from heldout.networks.small_language_model import small_language_model
from heldout.records import NotApplicable, Refusal

LOSS = document_loss(4, smoothing=0.05)
RECIPE = Recipe(optimizer="adam", batch_size=32, steps=40)


def model(seed: int) -> nn.Module:
    torch.manual_seed(seed)
    return small_language_model(vocabulary=4, length=8, width=8, depth=1, heads=2, hidden=8)


@cache
def subject() -> Subject:
    train, test = generated_documents(documents=80, length=8, shortest=4, vocabulary=4, test=30)
    start = model(0)
    trained = copy.deepcopy(start)
    with torch.no_grad():
        next(trained.parameters()).add_(0.1)
    return Subject(trained, train, test, loss=LOSS, loss_range=LOSS.span, initial=start)


@cache
def codes() -> LanguageCodes:
    with torch.no_grad():
        return language_codes(subject(), RECIPE, 3)


def test_losses_are_those_of_the_decoded_networks() -> None:
    found, tokens = codes(), subject().train.x
    there = (tokens >= 0).numpy()
    g, a = 3, 4
    with torch.no_grad():
        p = np.exp(found.networks[g].member(0)(tokens).double().numpy())
    bits = np.where(there, -np.log2((1 - SHARES[a]) * p + SHARES[a] / 4), 0.0)
    np.testing.assert_allclose(found.document_losses[g, a, 0], bits.sum(1) / there.sum(1), rtol=1e-5)
    assert found.token_losses[g, a, 0] == pytest.approx(bits.sum() / there.sum(), rel=1e-5)
    assert found.tokens == there.sum()
    assert found.unseen is not None
    assert found.unseen.shape == (len(found.bits), 8, 1, 30)


def test_messages_pay_for_smoothing() -> None:
    found = codes()
    for row, lengths in zip(found.parts, found.bits, strict=True):
        assert row[0]["smoothing"] == 3
        assert sum(row[0].values()) == lengths[0]


def test_the_subsample_is_of_the_seed_alone() -> None:
    chosen = codes().subsample
    assert chosen is not None
    assert len(set(chosen.tolist())) == 40
    assert chosen.max() < 80


def test_training_helps() -> None:
    """Of 80 documents a tenth is 8 coordinates: enough to leave the untrained network's loss behind."""
    with torch.no_grad():
        before = float(LOSS.per_example(model(0)(subject().train.x), subject().train.y).mean())
    assert codes().document_losses[:, 4].mean(-1).min() < before


def test_repeated_documents_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(language, "TRIED", ("rank-1",))
    tokens = subject().train.x[:40]
    twice = torch.cat([tokens, tokens])
    again = Subject(subject().population, (twice, twice), loss=LOSS, loss_range=LOSS.span, initial=subject().initial)
    with torch.no_grad():
        found = language_codes(again, RECIPE.but(steps=2), 0)
    assert "repeat another" in found.data["bound"]
    assert found.unseen is None


def test_an_unpaid_share_is_refused() -> None:
    with pytest.raises(Refusal, match="choice of the share"):
        LanguageCodes(np.zeros((2, 8, 1, 5)), np.zeros((2, 8, 1)), 9, np.full((2, 1), 1.0), 4)


def test_other_subjects_are_told_what_is_missing() -> None:
    x = torch.randn(30, 3)
    classifier = Subject(nn.Linear(3, 2), (x, torch.arange(30) % 2))
    with pytest.raises(NotApplicable, match="none of documents"):
        is_language_model(classifier)
    few = subject().train.take(slice(0, 19))
    with pytest.raises(NotApplicable, match="only 19 documents"):
        is_language_model(
            Subject(subject().population, few, loss=LOSS, loss_range=LOSS.span, initial=subject().initial)
        )
    with pytest.raises(NotApplicable, match="initial"):
        is_language_model(Subject(subject().population, subject().train, loss=LOSS, loss_range=LOSS.span))


class Peeking(nn.Module):
    """Foretells a token from the one after it."""

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(4, 4)

    def forward(self, tokens: Tensor) -> Tensor:
        after = torch.nn.functional.pad(tokens.clamp(min=0)[..., 1:], (0, 1))
        return self.table(after).log_softmax(-1).gather(-1, tokens.clamp(min=0)[..., None])[..., 0]


class Generous(nn.Module):
    """Gives probability 0.5 to every token."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(0.5))

    def forward(self, tokens: Tensor) -> Tensor:
        return self.weight.log() + 0.0 * tokens


@pytest.mark.parametrize(
    ("cheat", "words"), [(Peeking, "changed with the tokens from there on"), (Generous, "add up to 2")]
)
def test_cheats_are_refused(cheat: type[nn.Module], words: str) -> None:
    with pytest.raises(Refusal, match=words):
        check_scores(Population(cheat()), subject().train.x, 4, 2)


def test_tokens_beyond_the_vocabulary_are_refused() -> None:
    assert subject().initial is not None
    with pytest.raises(Refusal, match="token 3"):
        check_scores(subject().initial, subject().train.x, 3, 0)  # type: ignore[arg-type]
