"""Bits a token of a compressed language model on new documents."""

from collections.abc import Callable
from typing import Any

import numpy as np

from heldout.catalog import bound
from heldout.engine.evidence.language import LanguageCodes
from heldout.engine.numerics import betting_upper, hoeffding_upper, kl_chernoff_upper, shuffled
from heldout.engine.numerics.smoothed_loss import from_unit, smoothed_bits, span, to_unit
from heldout.records import Bounded

CERTIFIES = "the compressed language model on new documents"
STATEMENT = "probability over the draw of the training documents, which are independent"
STEP = "the losses of every model that a message can hold are not this small by chance, at delta times 2^-bits each"
Floats = np.ndarray


def lucky_documents(generator: np.random.Generator, problems: int) -> tuple[dict[str, Any], np.ndarray]:
    """Problems of known risk: documents of one token repeated, of two by chance; the luckiest of 16 models of four bits.

    Each model foretells one of the two with certainty, so all have the same risk. Tokens of a document are wholly dependent: a bound
    that counted them would be broken here.

    Args:
        generator: Randomness.
        problems: How many.

    Returns:
        Evidence by name, and the true risks.
    """
    losses = smoothed_bits(np.array([0.0, -np.inf]), 0.1, 2)
    drawn = losses[generator.integers(2, size=(16, 1, problems, 60))]
    known = LanguageCodes(
        drawn, drawn.mean(-1), 60 * 50, np.full((16, problems), 4.0), 2, (0.1,), subsample=np.arange(30)
    )
    return {"language_codes": known}, np.full(problems, losses.mean())


@bound(
    source="Lotfi et al. 2024 (ICML; smoothed loss, documents), by inversion of the relative entropy: Langford 2005",
    certifies=CERTIFIES,
    statement=STATEMENT,
    family="language",
    problem=lucky_documents,
)
def language_documents(language_codes: LanguageCodes, *, log_delta: float) -> Bounded:
    r"""Expected bits a token of a new document, for all language models that messages of K bits hold at once.

    .. math:: \mathrm{kl}(\hat R', R') \le (K \ln 2 + \ln(1/\delta)) / N, \quad R = \ell_{\min} + \Delta R', \quad
        \Delta = \log_2(1 + (1 - \alpha) V / \alpha)

    The loss of a document is the mean over its tokens (those that count) of the bits that the smoothed prediction
    :math:`(1 - \alpha) p + \alpha / V` takes; alpha is one of eight, and three of the K bits say which. N counts documents: tokens of
    one document may depend on each other as they like. Guessing takes log2 V bits: the term stands beside it.

    Args:
        language_codes: Losses and lengths.
        log_delta: Natural logarithm of the failure probability.

    Returns:
        Upper bounds, the smallest over messages and shares, and their account; bounds for the same model from the test documents, if
        there are any, are terms.

    Example:
        >>> known = LanguageCodes(np.full((1, 1, 1, 5000), 4.0), np.full((1, 1, 1), 4.0), 10**6, np.array([[203.0]]), 256, (0.05,))
        >>> print(f"{language_documents(known, log_delta=np.log(0.05)).value[0]:.2f}")
        5.44
    """
    return _documents(language_codes, log_delta, kl_chernoff_upper)


@bound(
    source="Lotfi et al. 2024 (ICML), with all documents evaluated; Hoeffding 1963",
    certifies=CERTIFIES,
    statement=STATEMENT,
    family="language",
    problem=lucky_documents,
)
def language_documents_by_hoeffding(language_codes: LanguageCodes, *, log_delta: float) -> Bounded:
    r"""The same with Hoeffding's inequality, as it is printed; never tighter.

    .. math:: \hat R + \Delta \sqrt{(K \ln 2 + \ln(1/\delta)) / (2 N)}

    Args:
        language_codes: Losses and lengths.
        log_delta: Natural logarithm of the failure probability.

    Returns:
        Upper bounds, the smallest over messages and shares, and their account.

    Example:
        >>> known = LanguageCodes(np.full((1, 1, 1, 5000), 4.0), np.full((1, 1, 1), 4.0), 10**6, np.array([[203.0]]), 256, (0.05,))
        >>> print(f"{language_documents_by_hoeffding(known, log_delta=np.log(0.05)).value[0]:.2f}")
        5.47
    """
    return _documents(language_codes, log_delta, hoeffding_upper)


@bound(
    source="Waudby-Smith and Ramdas 2024 (betting), at delta times 2^-bits for every message (Occam); losses of Lotfi et al. 2024",
    certifies=CERTIFIES,
    statement=STATEMENT,
    family="language",
    problem=lucky_documents,
)
def language_documents_by_betting(language_codes: LanguageCodes, *, log_delta: float) -> Bounded:
    r"""The same by betting, which adapts to how little the documents' losses vary: far below the range, as each is a mean of many.

    .. math:: \sup \{ m : \max_t K_t(m) < 2^K / \delta \}

    For one fixed model the wealth against the true mean reaches :math:`2^K / \delta` with probability at most :math:`\delta 2^{-K}`
    (Ville), and the messages share delta. The order of the documents is one fixed shuffle.

    Args:
        language_codes: Losses and lengths.
        log_delta: Natural logarithm of the failure probability.

    Returns:
        Upper bounds, the smallest over messages and shares, and their account.

    Example:
        >>> known = LanguageCodes(np.full((1, 1, 1, 5000), 4.0), np.full((1, 1, 1), 4.0), 10**6, np.array([[203.0]]), 256, (0.05,))
        >>> print(f"{language_documents_by_betting(known, log_delta=np.log(0.05)).value[0]:.2f}")
        4.46
    """
    codes, n = language_codes, language_codes.document_losses.shape[-1]
    ordered = codes.document_losses[..., shuffled(n, 0)]

    def value(share: int, spent: Floats) -> Floats:
        units = to_unit(ordered[:, share], codes.shares[share], codes.vocabulary)
        found = np.empty(spent.shape)
        for price in np.unique(spent):  # one call for all messages of one length
            found[spent == price] = betting_upper(units[spent == price], float(price))
        return found

    return _best(codes, codes.document_losses.mean(-1), value, log_delta, ((STEP, 1.0),), n)


@bound(
    source="Lotfi et al. 2024 (ICML), subsampled evaluation with r = n / (n + N), by relative entropies; Hoeffding 1963, section 6",
    certifies=CERTIFIES,
    statement=STATEMENT + ", and of those that were evaluated",
    family="language",
    problem=lucky_documents,
)
def language_documents_on_subsample(language_codes: LanguageCodes, *, log_delta: float) -> Bounded:
    r"""The same where only n of the N documents are evaluated, drawn without replacement and without a look.

    .. math:: \hat R \le \mathrm{kl}^{-1}(\hat R_n, \ln(G / ((1 - r) \delta)) / n), \quad
        R \le \mathrm{kl}^{-1}(\hat R, (K \ln 2 + \ln(1 / (r \delta))) / N)

    with r = n / (n + N). G counts the models and shares that were evaluated and among which the best is taken: the subsample has to
    hold for each of them, which is paid for here.

    Args:
        language_codes: Losses and lengths, and which documents are evaluated.
        log_delta: Natural logarithm of the failure probability.

    Returns:
        Upper bounds, the smallest over messages and shares, and their account.

    Example:
        >>> needs, risks = lucky_documents(np.random.default_rng(0), 1)
        >>> bool(language_documents_on_subsample(**needs, log_delta=-3.0).value[0] > risks[0])
        True
    """
    codes, n = language_codes, language_codes.document_losses.shape[-1]
    chosen = np.arange(n) if codes.subsample is None else codes.subsample
    part, looked = len(chosen) / (len(chosen) + n), float(len(codes.bits) * len(codes.shares))
    means = codes.document_losses[..., chosen].mean(-1)
    second = log_delta + np.log1p(-part) - np.log(looked)

    def value(share: int, spent: Floats) -> Floats:
        unit = to_unit(means[:, share], codes.shares[share], codes.vocabulary)
        whole = np.asarray(kl_chernoff_upper(unit, len(chosen), second))
        return np.asarray(kl_chernoff_upper(whole, n, spent + np.log(part)))

    steps = ((STEP, part), ("the documents that were evaluated are not the easy ones", 1.0 - part))
    return _best(codes, means, value, log_delta, steps, len(chosen))


def _documents(codes: LanguageCodes, log_delta: float, upper: Callable[..., Any]) -> Bounded:
    means, n = codes.document_losses.mean(-1), codes.document_losses.shape[-1]

    def value(share: int, spent: Floats) -> Floats:
        return np.asarray(upper(to_unit(means[:, share], codes.shares[share], codes.vocabulary), n, spent))

    return _best(codes, means, value, log_delta, ((STEP, 1.0),), n)


def _best(
    codes: LanguageCodes, means: Floats, upper: Callable[[int, Floats], Floats], log_delta: float,
    steps: tuple[tuple[str, float], ...], examples: int,
) -> Bounded:  # fmt: skip
    """Invert for every message and share, each with its own range, and take the smallest."""
    spent = np.nextafter(log_delta - codes.bits * np.nextafter(np.log(2.0), np.inf), -np.inf)
    v = codes.vocabulary
    values = np.stack([from_unit(upper(place, spent), share, v) for place, share in enumerate(codes.shares)], 1)
    members = np.arange(values.shape[-1])
    model, share = np.unravel_index(values.reshape(-1, len(members)).argmin(0), values.shape[:2])
    spans = np.array([span(a, v) for a in codes.shares])  # of all that a message may choose: one loss, one range
    parts = codes.parts[model[0]][0] if codes.parts and len(members) == 1 else {}
    return Bounded(
        value=values[model, share, members],
        steps=steps,
        empirical_risk=means[model, share, members],
        examples=examples,
        loss="bits per token, a document's mean",
        loss_range=(float(spans[:, 0].min()), float(spans[:, 1].max())),
        guessing=float(np.log2(v)),
        data=codes.data,
        code={**parts, "all": float(codes.bits[model[0], 0])} if len(members) == 1 else {},
        terms={
            "bits": codes.bits[model, members],
            "smoothing": np.array(codes.shares)[share],
            "bits by guessing": np.full(len(members), np.log2(v)),
            **_unseen(codes, model, share, log_delta),
        },
    )


def _unseen(codes: LanguageCodes, model: np.ndarray, share: np.ndarray, log_delta: float) -> dict[str, np.ndarray]:
    """The same models on test documents: the mean, and bounds from these alone, which took no part in the choice."""
    if codes.unseen is None:
        return {}
    losses = codes.unseen[model, share, np.arange(len(model))]
    units = np.stack([to_unit(row, codes.shares[a], codes.vocabulary) for row, a in zip(losses, share, strict=True)])

    def bits(values: Any) -> np.ndarray:
        pairs = zip(np.atleast_1d(values), share, strict=True)
        return np.array([float(from_unit(value, codes.shares[a], codes.vocabulary)) for value, a in pairs])

    return {
        "test documents": losses.mean(-1),
        "test documents, by kl": bits(kl_chernoff_upper(units.mean(-1), units.shape[-1], log_delta)),
        "test documents, by betting": bits(betting_upper(units, log_delta)),
    }
