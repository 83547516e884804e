"""Language models on new documents: inversions with their own ranges, order, coverage with a known entropy, one end to end."""

import math
from typing import Any

import numpy as np
import pytest
from scipy import optimize
from tests.engine.evidence.test_language import LOSS, RECIPE, subject

from heldout import certify
from heldout.bounds.language_documents import (
    CERTIFIES,
    language_documents,
    language_documents_by_betting,
    language_documents_by_hoeffding,
    language_documents_on_subsample,
    lucky_documents,
)
from heldout.bounds.language_tokens import CERTIFIES as TOKENS
from heldout.bounds.language_tokens import language_tokens
from heldout.engine.evidence.language import LanguageCodes
from heldout.engine.numerics import betting_upper, shuffled
from heldout.engine.numerics.markov_chains import entropy, sampled, stationary, transitions
from heldout.engine.numerics.smoothed_loss import smoothed_bits, span
from heldout.records import Refusal, Status

LOG_DELTA = math.log(0.05)
ALL = (
    language_documents,
    language_documents_by_betting,
    language_documents_by_hoeffding,
    language_documents_on_subsample,
)


def known(mean: float, bits: float, n: int, share: float = 0.1, vocabulary: int = 16, **more: Any) -> LanguageCodes:
    return LanguageCodes(
        np.full((1, 1, 1, n), mean), np.full((1, 1, 1), mean), 10 * n, np.array([[bits]]), vocabulary, (share,), **more
    )


def inverted(mean: float, nats: float, share: float = 0.1, vocabulary: int = 16) -> float:
    """By an ordinary root finder on the loss's own scale."""
    low, high = span(share, vocabulary)
    q = (mean - low) / (high - low)
    kl = lambda p: q * math.log(q / p) + (1 - q) * math.log((1 - q) / (1 - p)) - nats  # noqa: E731
    return low + (high - low) * float(optimize.brentq(kl, q, 1 - 1e-12, xtol=1e-13))


def test_the_entropy_is_inverted_on_the_range_of_the_share() -> None:
    value = language_documents(known(2.5, 130.0, 900), log_delta=LOG_DELTA).value[0]
    assert value == pytest.approx(inverted(2.5, (130 * math.log(2) + math.log(20)) / 900), abs=1e-8)


def test_hoeffding_is_its_formula() -> None:
    delta = math.log2(1 + 0.9 * 16 / 0.1)
    value = language_documents_by_hoeffding(known(2.5, 130.0, 900), log_delta=LOG_DELTA).value[0]
    assert value == pytest.approx(2.5 + delta * math.sqrt((130 * math.log(2) + math.log(20)) / 1800), rel=1e-9)


def test_the_subsample_pays_for_both_steps_and_for_the_choice() -> None:
    codes = known(2.5, 130.0, 900, subsample=np.arange(300))
    r = 300 / 1200
    first = inverted(2.5, math.log(1 / ((1 - r) * 0.05)) / 300)
    wanted = inverted(first, (130 * math.log(2) + math.log(1 / (r * 0.05))) / 900)
    said = language_documents_on_subsample(codes, log_delta=LOG_DELTA)
    assert said.value[0] == pytest.approx(wanted, abs=1e-7)
    assert [share for _, share in said.steps] == [r, 1 - r]
    two = LanguageCodes(
        np.full((2, 1, 1, 900), 2.5), np.full((2, 1, 1), 2.5), 9, np.array([[130.0], [131.0]]), 16, (0.1,),
        subsample=np.arange(300),
    )  # fmt: skip
    dear = inverted(
        inverted(2.5, math.log(2 / ((1 - r) * 0.05)) / 300), (130 * math.log(2) + math.log(1 / (r * 0.05))) / 900
    )
    assert language_documents_on_subsample(two, log_delta=LOG_DELTA).value[0] == pytest.approx(dear, abs=1e-7)


def test_betting_is_the_held_out_bound_at_a_delta_of_the_message() -> None:
    generator = np.random.default_rng(0)
    losses = generator.uniform(2, 3, size=(1, 1, 1, 400))
    codes = LanguageCodes(losses, losses.mean(-1), 9, np.array([[20.0]]), 16, (0.1,))
    low, high = span(0.1, 16)
    unit = (losses[0, 0, :, shuffled(400, 0)].T - low) / (high - low)
    wanted = low + (high - low) * float(betting_upper(unit, LOG_DELTA - 20 * math.log(2))[0])
    assert language_documents_by_betting(codes, log_delta=LOG_DELTA).value[0] == pytest.approx(wanted, rel=1e-9)


def test_each_share_has_its_own_range_and_the_best_is_named() -> None:
    losses = np.random.default_rng(1).uniform(1, 3, size=(2, 2, 3, 50))
    shares, bits = (0.01, 0.5), np.array([[30.0, 9.0, 40.0], [12.0, 60.0, 5.0]])
    codes = LanguageCodes(losses, losses.mean(-1), 9, bits, 16, shares)
    said = language_documents(codes, log_delta=LOG_DELTA)
    each = np.array([[[inverted(losses[g, a, m].mean(), (bits[g, m] * math.log(2) + math.log(20)) / 50, shares[a])
                       for m in range(3)] for a in (0, 1)] for g in (0, 1)])  # fmt: skip
    np.testing.assert_allclose(said.value, each.reshape(4, 3).min(0), atol=1e-7)
    best = each.reshape(4, 3).argmin(0)
    assert said.terms["smoothing"].tolist() == [shares[place % 2] for place in best]
    assert said.terms["bits"].tolist() == [bits[place // 2, m] for m, place in enumerate(best)]
    assert said.terms["bits by guessing"].tolist() == [4.0] * 3


def test_order() -> None:
    needs, _ = lucky_documents(np.random.default_rng(2), 50)
    kl, hoeffding = (
        bound(**needs, log_delta=LOG_DELTA).value for bound in (language_documents, language_documents_by_hoeffding)
    )
    assert (kl <= hoeffding + 1e-9).all()
    longer = language_documents(known(2.5, 131.0, 900), log_delta=LOG_DELTA).value[0]
    assert longer > language_documents(known(2.5, 130.0, 900), log_delta=LOG_DELTA).value[0]


@pytest.mark.parametrize("bound", ALL)
def test_coverage_on_its_problems(bound: Any) -> None:
    """At delta 0.05 and 1,000 problems, more than 86 violations have probability below 1e-6 where the bound holds."""
    needs, risks = lucky_documents(np.random.default_rng(3), 1000)
    assert (bound(**needs, log_delta=LOG_DELTA).value < risks).sum() <= 86


def test_unpaid_bits_and_counted_tokens_break_it() -> None:
    """The problems tell right from wrong: without the price, or with tokens for documents, the bound fails far too often."""
    needs, risks = lucky_documents(np.random.default_rng(3), 1000)
    codes = needs["language_codes"]
    unpaid = LanguageCodes(codes.document_losses, codes.token_losses, codes.tokens, codes.bits, 2, (0.1,))
    object.__setattr__(unpaid, "bits", np.zeros_like(codes.bits))
    assert (language_documents_by_betting(unpaid, log_delta=LOG_DELTA).value < risks).mean() > 0.15
    assert (language_tokens(codes, log_delta=LOG_DELTA).value < risks).mean() > 0.5


def test_coverage_for_text_of_known_entropy() -> None:
    """A chain, 32 tables of five bits, all at once, 300 corpora: above 34 violations has probability below 1e-6 at delta 0.05."""
    generator, v, length, n = np.random.default_rng(4), 5, 6, 40
    matrix = transitions(v, concentration=0.5, seed=0)
    law = stationary(matrix)
    tables = np.stack([matrix, *(generator.dirichlet(np.ones(v), size=v) for _ in range(31))])
    bits, first = smoothed_bits(np.log(tables), 0.05, v), smoothed_bits(np.log(law), 0.05, v)
    truth = (law @ first + (length - 1) * (law[:, None] * matrix * bits).sum((1, 2))) / length
    assert entropy(matrix, length) - 0.02 < truth[0] == truth.min()  # smoothed, the chain itself: near its entropy
    assert truth[0] >= entropy(matrix, length)
    missed = 0
    for _ in range(300):
        tokens = sampled(matrix, n, length, generator)
        losses = (first[tokens[:, 0]] + bits[:, tokens[:, :-1], tokens[:, 1:]].sum(-1)) / length  # [32, N]
        # each table is a member of its own, so that each is compared with its own risk
        codes = LanguageCodes(
            losses[None, None], losses.mean(-1)[None, None], n * length, np.full((1, 32), 5.0), v, (0.05,)
        )
        missed += bool((language_documents_by_betting(codes, log_delta=LOG_DELTA).value < truth).any())
    assert missed <= 34


def test_end_to_end() -> None:
    found = certify(subject(), families=["held-out", "language"], recipe=RECIPE, seed=3)
    one = found["language-documents-by-betting"][0]
    assert one.certifies == CERTIFIES
    assert one.examples == 80
    assert one.code_ledger["smoothing"] == 3
    assert one.terms["bits by guessing"] == 2
    assert one.status in (Status.VALID, Status.VACUOUS)
    assert one.terms["test documents"] <= one.terms["test documents, by betting"]
    assert found["kl"][0].loss == LOSS.name
    assert found["kl"][0].loss_range == LOSS.span


def test_a_token_level_certificate_is_not_quoted_for_documents() -> None:
    one = certify(subject(), families=["language"], recipe=RECIPE, seed=3)["language-tokens"][0]
    assert one.certifies == TOKENS
    assert "says nothing of new documents" in one.statement
    with pytest.raises(Refusal, match="was quoted for 'the compressed language model on new documents'"):
        one.quote(of=CERTIFIES)
