"""Generated documents: lengths, padding, seeds, and the same chain that the entropy is known of."""

from typing import Any

import numpy as np
import pytest
import torch

from heldout.datasets.generated_documents import generated_documents
from heldout.engine.numerics.markov_chains import stationary, transitions
from heldout.records import Refusal


def test_documents_are_padded_after_their_end() -> None:
    (x, y), (unseen, _) = generated_documents(documents=300, length=12, shortest=5, vocabulary=6, test=40, seed=3)
    lengths = (x >= 0).sum(1)
    assert (len(x), len(unseen)) == (300, 40)
    assert (int(lengths.min()), int(lengths.max()), int(x.max())) == (5, 12, 5)
    assert torch.equal(x, y)
    assert bool((x[:, 1:][x[:, :-1] < 0] == -1).all())
    assert not torch.equal(x[:40], unseen)


def test_its_tokens_follow_the_chain_of_its_seed() -> None:
    (x, _), _ = generated_documents(
        documents=4000, length=3, shortest=1, vocabulary=4, concentration=1.0, test=1, seed=9
    )
    law = stationary(transitions(4, concentration=1.0, seed=9))
    np.testing.assert_allclose(np.bincount(x[:, 0].numpy(), minlength=4) / 4000, law, atol=0.045)  # 5.7 standard errors


@pytest.mark.parametrize("wrong", [{"shortest": 0}, {"shortest": 9, "length": 8}, {"documents": 0}, {"test": 0}])
def test_nothing_to_read_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(Refusal, match="|".join(wrong)):
        generated_documents(**wrong)
