"""Documents: from texts and tables, what is refused, the loss against plain arithmetic, and any causal network scored."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from heldout.engine.numerics.smoothed_loss import span
from heldout.engine.subject.documents import Scored, as_documents, document_loss
from heldout.engine.subject.losses import Loss
from heldout.records import Refusal


def test_texts_bytes_numbers_and_tables() -> None:
    assert as_documents(["aé", b"xyz"], length=2).x.tolist() == [[97, 195], [120, 121]]
    assert as_documents([[5, 6, 7], [8]]).x.tolist() == [[5, 6, 7], [8, -1, -1]]
    table = torch.tensor([[1, 2, -1], [3, -1, -1]])
    for form in (table, table.numpy()):
        documents = as_documents(form)
        assert documents.x.tolist() == [[1, 2], [3, -1]]
        assert torch.equal(documents.x, documents.y)


@pytest.mark.parametrize(
    ("texts", "words"),
    [("one text", "one string"), (["a", ""], "document 1 was empty"), ([[1.5]], "document 0 was no row"), ([], "no document"),
     ([[3, -2]], "document 0 was no row")],
)  # fmt: skip
def test_what_is_no_document_is_refused(texts: Any, words: str) -> None:
    with pytest.raises(Refusal, match=words):
        as_documents(texts)


def test_the_loss_is_the_mean_over_the_tokens_that_are_there() -> None:
    loss = document_loss(10, smoothing=0.2)
    log_p = torch.tensor([[0.5, 0.1, 0.9], [0.25, 0.3, 0.3]], dtype=torch.float64).log()
    losses = loss.per_example(log_p, torch.tensor([[1, 2, 3], [4, -1, -1]]))
    bits = [[-math.log2(0.8 * p + 0.02) for p in row] for row in ((0.5, 0.1, 0.9), (0.25,))]
    assert losses.tolist() == pytest.approx([sum(bits[0]) / 3, bits[1][0]], rel=1e-12)
    assert loss.span == span(0.2, 10)
    assert isinstance(loss, Loss)
    assert (loss.vocabulary, loss.smoothing, loss.task) == (10, 0.2, "regression")
    with pytest.raises(Refusal, match="smoothing"):
        document_loss(10, smoothing=0.0)


def test_gradients_reach_the_tokens_that_are_there_alone() -> None:
    log_p = torch.full((1, 2), -3.0, requires_grad=True)
    document_loss(10).per_example(log_p, torch.tensor([[1, -1]])).sum().backward()  # type: ignore[no-untyped-call]
    assert log_p.grad is not None
    assert float(log_p.grad[0, 0]) < 0
    assert float(log_p.grad[0, 1]) == 0


def test_a_table_of_transitions_scored_by_hand() -> None:
    matrix = np.random.default_rng(0).dirichlet(np.ones(4), size=4)
    table = nn.Embedding.from_pretrained(torch.from_numpy(np.log(matrix)))
    scored = Scored(table, beginning=2)(torch.tensor([[1, 0, 3], [3, 3, -1]]))
    wanted = np.log([[matrix[2, 1], matrix[1, 0], matrix[0, 3]], [matrix[2, 3], matrix[3, 3], 1.0]])
    np.testing.assert_allclose(scored.numpy(), wanted, rtol=1e-10, atol=1e-12)
