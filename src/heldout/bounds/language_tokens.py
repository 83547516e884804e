"""Bits of next tokens drawn anew in the contexts of the training text: these contexts, and no new document."""

from typing import Any

import numpy as np

from heldout.catalog import bound
from heldout.engine.evidence.language import LanguageCodes
from heldout.engine.numerics.next_tokens import RATES, azuma_upper, chernoff_upper
from heldout.engine.numerics.smoothed_loss import from_unit, smoothed_bits, span, to_unit
from heldout.records import Bounded

CERTIFIES = "the compressed language model on next tokens drawn anew in the contexts of the training documents"
STATEMENT = "probability over every training token given those before it and the lengths of documents; says nothing of new documents"
STEP = "the training tokens are not this likely by chance under every model of a message, at delta times 2^-bits each"


def lucky_tokens(generator: np.random.Generator, problems: int) -> tuple[dict[str, Any], np.ndarray]:
    """Problems of known risk: 200 tokens, one of two whatever came before; the luckiest of 16 models of four bits.

    Each model foretells one of the two with certainty, which one depending on the context as it likes: given any past, all have the
    same expected loss.

    Args:
        generator: Randomness.
        problems: How many.

    Returns:
        Evidence by name, and the true mean of conditional expectations.
    """
    losses = smoothed_bits(np.array([0.0, -np.inf]), 0.1, 2)
    means = losses[0] + (losses[1] - losses[0]) * generator.binomial(200, 0.5, size=(16, 1, problems)) / 200
    known = LanguageCodes(means[..., None], means, 200, np.full((16, problems), 4.0), 2, (0.1,))
    return {"language_codes": known}, np.full(problems, losses.mean())


@bound(
    source="Lotfi et al. 2024 (NeurIPS; token level), with Chernoff's exponential at 32 rates in place of Azuma's inequality",
    certifies=CERTIFIES,
    statement=STATEMENT,
    family="language",
    problem=lucky_tokens,
)
def language_tokens(language_codes: LanguageCodes, *, log_delta: float) -> Bounded:
    r"""Mean over the training text of the expected bits of each next token given what stands before it there.

    .. math:: \frac1T \sum_k E[\ell(x_k) | x_{<k}] \le \ell_{\min} + \Delta \min_\lambda
        \frac{1 - \exp(-\lambda \hat R' - (K \ln 2 + \ln(32 / \delta)) / T)}{1 - e^{-\lambda}}

    T counts tokens, so far longer messages are affordable than for documents: but what is certified is only that other continuations
    of the very contexts of the training text would have been coded as briefly. It cannot see new documents, whose contexts are
    others; to quote it for these is refused. The lengths of documents are taken as given.

    Args:
        language_codes: Losses and lengths.
        log_delta: Natural logarithm of the failure probability.

    Returns:
        Upper bounds, the smallest over messages and shares, and their account.

    Example:
        >>> known = LanguageCodes(np.zeros((1, 1, 1, 1)), np.full((1, 1, 1), 4.0), 10**6, np.array([[20003.0]]), 256, (0.05,))
        >>> print(f"{language_tokens(known, log_delta=np.log(0.05)).value[0]:.2f}")
        4.99
    """
    return _tokens(language_codes, log_delta, chernoff_upper, "the rate of the exponential is the best of 32")


@bound(
    source="Lotfi et al. 2024 (NeurIPS), token level; Azuma 1967",
    certifies=CERTIFIES,
    statement=STATEMENT,
    family="language",
    problem=lucky_tokens,
)
def language_tokens_by_azuma(language_codes: LanguageCodes, *, log_delta: float) -> Bounded:
    r"""The same by Azuma's inequality, as it is printed.

    .. math:: \hat R + \Delta \sqrt{(K \ln 2 + \ln(1/\delta)) / (2 T)}

    Args:
        language_codes: Losses and lengths.
        log_delta: Natural logarithm of the failure probability.

    Returns:
        Upper bounds, the smallest over messages and shares, and their account.

    Example:
        >>> known = LanguageCodes(np.zeros((1, 1, 1, 1)), np.full((1, 1, 1), 4.0), 10**6, np.array([[20003.0]]), 256, (0.05,))
        >>> print(f"{language_tokens_by_azuma(known, log_delta=np.log(0.05)).value[0]:.2f}")
        5.02
    """
    return _tokens(language_codes, log_delta, azuma_upper, "")


def _tokens(codes: LanguageCodes, log_delta: float, upper: Any, paid: str) -> Bounded:
    spent = np.nextafter(log_delta - codes.bits * np.nextafter(np.log(2.0), np.inf), -np.inf)
    v, means = codes.vocabulary, codes.token_losses
    values = np.stack([
        from_unit(upper(to_unit(means[:, place], share, v), codes.tokens, spent), share, v)
        for place, share in enumerate(codes.shares)
    ], 1)  # fmt: skip
    members = np.arange(values.shape[-1])
    model, share = np.unravel_index(values.reshape(-1, len(members)).argmin(0), values.shape[:2])
    spans = np.array([span(a, v) for a in codes.shares])  # of all that a message may choose: one loss, one range
    parts = codes.parts[model[0]][0] if codes.parts and len(members) == 1 else {}
    words = f"; {paid}, each at a {len(RATES)}th" if paid else ""
    return Bounded(
        value=values[model, share, members],
        steps=((STEP + words, 1.0),),
        empirical_risk=means[model, share, members],
        examples=codes.tokens,
        loss="bits per token, in the contexts of the training text",
        loss_range=(float(spans[:, 0].min()), float(spans[:, 1].max())),
        guessing=float(np.log2(v)),
        data=codes.data,
        code={**parts, "all": float(codes.bits[model[0], 0])} if len(members) == 1 else {},
        terms={
            "bits": codes.bits[model, members],
            "smoothing": np.array(codes.shares)[share],
            "bits by guessing": np.full(len(members), np.log2(v)),
        },
    )
