"""The small language model: a distribution over tokens, nothing seen ahead, padding that changes nothing, refusals."""

import pytest
import torch

from heldout.networks.small_language_model import small_language_model
from heldout.records import Refusal

TOKENS = torch.randint(5, (3, 7), generator=torch.Generator().manual_seed(0))


def model() -> torch.nn.Module:
    torch.manual_seed(1)
    return small_language_model(vocabulary=5, length=7, width=12, depth=2, heads=3, hidden=10).eval()


def test_probabilities_of_all_documents_add_up_to_one() -> None:
    every = torch.cartesian_prod(*[torch.arange(5)] * 3)
    assert float(model()(every).detach().double().sum(-1).exp().sum()) == pytest.approx(1.0, abs=1e-5)


def test_nothing_is_seen_ahead() -> None:
    changed = TOKENS.clone()
    changed[:, 4:] = (changed[:, 4:] + 1) % 5
    one, other = model()(TOKENS), model()(changed)
    torch.testing.assert_close(one[:, :4], other[:, :4])
    assert not torch.allclose(one[:, 4:], other[:, 4:])


def test_what_follows_the_end_changes_nothing() -> None:
    short = TOKENS.clone()
    short[:, 5:] = -1
    torch.testing.assert_close(model()(short)[:, :5], model()(TOKENS[:, :5]))
    assert bool((model()(short)[:, 5:] == 0).all())


def test_every_setting_counts() -> None:
    def size(**settings: int) -> int:
        base = {"vocabulary": 5, "length": 7, "width": 12, "depth": 1, "heads": 3, "hidden": 10}
        return sum(p.numel() for p in small_language_model(**{**base, **settings}).parameters())

    changed = {"vocabulary": 6, "length": 8, "width": 24, "depth": 2, "hidden": 11}
    assert all(size(**{name: value}) > size() for name, value in changed.items())


def test_heads_and_lengths_that_do_not_fit_are_refused() -> None:
    with pytest.raises(Refusal, match="heads was 5"):
        small_language_model(width=12, heads=5)
    with pytest.raises(Refusal, match="documents had 8 tokens"):
        model()(torch.zeros(1, 8, dtype=torch.int64))
