"""A corpus that the user brings as the subject of certificates: a small language model of bytes trained on most of its documents."""

from collections.abc import Sequence

import torch

from heldout.engine.population import Population, stream
from heldout.engine.subject import Subject
from heldout.engine.subject.documents import as_documents, document_loss
from heldout.engine.training import Plan, Recipe, fit
from heldout.networks.small_language_model import small_language_model
from heldout.records import Refusal

FEWEST = 50  # documents
TEST_SHARE = 0.2
#: As for the coded models, of which there are several: minutes on one core.
RECIPE = Recipe(optimizer="adam", lr=3e-3, batch_size=32, steps=600, stop="steps")


def certified_corpus(
    corpus: str | Sequence[str | bytes],
    *,
    separator: str = "\n\n",
    length: int = 64,
    smoothing: float = 0.01,
    duplicates: str = "refuse",
    recipe: Recipe = RECIPE,
    seed: int = 0,
) -> Subject:
    """A language model of a corpus, for the families held-out and language.

    Certificates count documents as independent draws: choose a separator at which they are, such as articles rather than sentences.
    Bytes are the tokens, 256 of them, so no tokenizer that saw other text is involved; guessing takes 8 bits.

    Args:
        corpus: One text, or its documents.
        separator: Between the documents of one text; what is empty between two is left out.
        length: Bytes of a document that count, from its beginning.
        smoothing: Share of the held-out predictions that is spread evenly, declared beforehand.
        duplicates: As of a Subject.
        recipe: How the model is trained, its loss aside.
        seed: Of the split, a fifth being held out, of the model and of its training.

    Returns:
        The subject, with initial weights and held-out documents.

    Raises:
        Refusal: If there are too few documents.
    """
    documents = [part for part in (corpus.split(separator) if isinstance(corpus, str) else corpus) if part.strip()]
    if len(documents) < FEWEST:
        raise Refusal(
            given=f"corpus held {len(documents)} documents", expected=f"at least {FEWEST}",
            do="bring more text, or another separator",
        )  # fmt: skip
    order = torch.randperm(len(documents), generator=stream(seed, "corpus")).tolist()
    examples, cut = (
        as_documents([documents[place] for place in order], length),
        round((1 - TEST_SHARE) * len(documents)),
    )
    train, test = examples.take(slice(0, cut)), examples.take(slice(cut, None))
    longest, loss = examples.x.shape[1], document_loss(256, smoothing=smoothing)
    initial = Population.of(lambda: small_language_model(length=longest, width=48, depth=1, hidden=96), 1, seed=seed)
    own = recipe.but(loss=loss.per_example, batch_size=min(recipe.batch_size or cut, cut))
    final = fit(initial, train, own, seed=seed, plan=Plan(1)).final
    return Subject(
        final, train, test, loss=loss, loss_range=loss.span, initial=initial, duplicates=duplicates,
        name=f"A language model of bytes on {cut} of {len(documents)} documents",
    )  # fmt: skip
