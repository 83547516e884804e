"""A corpus as a subject: split, settings, a model that has learnt, and its certificates."""

import pytest

from heldout import Recipe, certify
from heldout.engine.numerics.smoothed_loss import span
from heldout.records import Refusal, Status
from heldout.verbs.certified_corpus import RECIPE, certified_corpus

TEXT = "--".join(f"the {'abcdefgh'[k % 8]} and the {k}" for k in range(100))
SHORT = RECIPE.but(steps=60)


def test_a_corpus_becomes_a_subject() -> None:
    subject = certified_corpus(TEXT + "-- --", separator="--", length=12, smoothing=0.05, recipe=SHORT, seed=2)
    assert subject.test is not None
    assert (len(subject.train), len(subject.test), subject.train.x.shape[1]) == (80, 20, 12)
    assert subject.loss_range == span(0.05, 256)
    assert "80 of 100 documents" in subject.name
    other = certified_corpus(TEXT, separator="--", length=12, recipe=SHORT, seed=3)
    assert other.train.x.tolist() != subject.train.x.tolist()
    losses = subject.loss.per_example(subject.population(subject.test.x)[0].detach(), subject.test.y)
    assert float(losses.mean()) < 5  # guessing takes 8 bits


def test_its_certificates() -> None:
    subject = certified_corpus(TEXT.split("--"), length=8, duplicates="allow", recipe=SHORT)
    found = certify(
        subject, families=["held-out", "language"], recipe=Recipe(optimizer="adam", batch_size=32, steps=10)
    )
    assert found["betting"][0].status is Status.VALID
    assert found["betting"][0].value is not None
    assert found["betting"][0].value < 8
    documents = found["language-documents"][0]
    assert documents.terms["bits by guessing"] == documents.trivial == found["betting"][0].trivial == 8
    assert all((one.status is Status.VALID) == (one.value < 8) for one in found)
    losses = [one.loss for one in found.bests()]
    assert len(losses) == 3  # held-out documents, new documents, tokens: the same unit, three statements
    assert "in the contexts of the training text" in losses[2]
    with pytest.raises(Refusal, match="3 losses"):
        found.best()
    tokens = found.best(certifies=found["language-tokens"][0].certifies)
    assert tokens.loss == losses[2]
    assert len({one.loss_range for one in found if one.loss == documents.loss}) == 1


def test_too_little_text_is_refused() -> None:
    with pytest.raises(Refusal, match="corpus held 1 documents"):
        certified_corpus(TEXT)
