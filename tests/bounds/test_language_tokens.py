"""Language models on next tokens: the formulas on each share's range, coverage given the past, what is certified."""

import math
from typing import Any

import numpy as np
import pytest

from heldout.bounds.language_tokens import language_tokens, language_tokens_by_azuma, lucky_tokens
from heldout.engine.evidence.language import LanguageCodes
from heldout.engine.numerics.markov_chains import sampled, transitions
from heldout.engine.numerics.smoothed_loss import smoothed_bits

LOG_DELTA = math.log(0.05)


def known(mean: float, bits: float, tokens: int, share: float = 0.1, vocabulary: int = 50257) -> LanguageCodes:
    return LanguageCodes(
        np.zeros((1, 1, 1, 1)), np.full((1, 1, 1), mean), tokens, np.array([[bits]]), vocabulary, (share,)
    )


def test_azuma_is_the_published_formula() -> None:
    """With the digest's range of 18.8 bits for V = 50257 and alpha = 0.1."""
    said = language_tokens_by_azuma(known(6.0, 5e5, 10**8), log_delta=LOG_DELTA)
    root = math.sqrt((5e5 * math.log(2) + math.log(20)) / 2e8)
    assert said.value[0] == pytest.approx(6.0 + math.log2(1 + 0.9 * 50257 / 0.1) * root, rel=1e-9)
    assert said.value[0] == pytest.approx(6.0 + 18.8 * root, abs=3e-3)
    assert said.examples == 10**8
    assert said.terms["bits by guessing"][0] == pytest.approx(15.6, abs=0.05)


def test_the_exponential_is_tighter_where_losses_are_small_against_the_range() -> None:
    codes = known(3.0, 2e5, 10**6, share=1e-3)
    assert (
        language_tokens(codes, log_delta=LOG_DELTA).value[0]
        < language_tokens_by_azuma(codes, log_delta=LOG_DELTA).value[0]
    )


@pytest.mark.parametrize("bound", [language_tokens, language_tokens_by_azuma])
def test_each_member_takes_its_best_message_and_share(bound: Any) -> None:
    means = np.random.default_rng(0).uniform(2, 4, size=(3, 2, 4))
    bits = np.random.default_rng(1).integers(20, 400, size=(3, 4)).astype(float)
    codes = LanguageCodes(means[..., None], means, 5000, bits, 16, (0.01, 0.25))
    said = bound(codes, log_delta=LOG_DELTA)
    each = np.array([[[bound(known(means[g, a, m], bits[g, m], 5000, (0.01, 0.25)[a], 16), log_delta=LOG_DELTA).value[0]
                       for m in range(4)] for a in (0, 1)] for g in range(3)])  # fmt: skip
    np.testing.assert_allclose(said.value, each.reshape(6, 4).min(0), rtol=1e-12)
    best = each.reshape(6, 4).argmin(0)
    assert said.empirical_risk.tolist() == means.reshape(6, 4)[best, np.arange(4)].tolist()
    assert said.terms["smoothing"].tolist() == [(0.01, 0.25)[place % 2] for place in best]
    assert (bound(codes, log_delta=2 * LOG_DELTA).value > said.value).all()


@pytest.mark.parametrize("bound", [language_tokens, language_tokens_by_azuma])
def test_coverage_on_its_problems(bound: Any) -> None:
    """At delta 0.05 and 1,000 problems, more than 86 violations have probability below 1e-6; unpaid bits give far more."""
    needs, risks = lucky_tokens(np.random.default_rng(3), 1000)
    assert (bound(**needs, log_delta=LOG_DELTA).value < risks).sum() <= 86
    object.__setattr__(needs["language_codes"], "bits", np.zeros((16, 1000)))
    assert (language_tokens_by_azuma(**needs, log_delta=LOG_DELTA).value < risks).sum() > 86


def test_coverage_for_one_long_text_of_known_chain() -> None:
    """One document: 32 tables at once against the conditional expectations of the contexts that came; 300 texts as above."""
    generator, v, steps, missed = np.random.default_rng(5), 5, 80, 0
    matrix = transitions(v, concentration=0.5, seed=0)
    bits = smoothed_bits(np.log(np.stack([generator.dirichlet(np.ones(v), size=v) for _ in range(32)])), 0.05, v)
    expected = (matrix * bits).sum(-1)  # [32, V]: of the next token, given the last
    for _ in range(300):
        text = sampled(matrix, 1, steps + 1, generator)[0]
        truth, means = expected[:, text[:-1]].mean(1), bits[:, text[:-1], text[1:]].mean(1)
        codes = LanguageCodes(means[None, None, :, None], means[None, None], steps, np.full((1, 32), 5.0), v, (0.05,))
        missed += bool((language_tokens_by_azuma(codes, log_delta=LOG_DELTA).value < truth).any())
    assert missed <= 34
