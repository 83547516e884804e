"""The inverse questions: how many examples, bits, nats or draws does a target need?"""

import math
from collections.abc import Callable
from typing import Any

from heldout.engine.numerics import binary_kl, binomial_inverse_upper, kl_chernoff_upper
from heldout.records import Refusal

MOST = 10**12
CODE = 10_000  # bits, of the finite class in the answers


def how_many(
    target: float, *, observed: float = 0.02, examples: int = 60000, delta: float = 0.05
) -> list[dict[str, Any]]:
    """What certifying a risk of at most ``target`` needs, family by family.

    Args:
        target: Risk that shall be certified, in (0, 1).
        observed: Risk that is expected to be seen on the bound's examples, below the target.
        examples: Training examples at hand, for the families that use them.
        delta: Failure probability.

    Returns:
        Rows with family, question, answer (a whole number, 0 where nothing is left), unit and source.

    Raises:
        Refusal: If the numbers are not in this order, or there are no examples.

    Example:
        >>> [row["answer"] for row in how_many(0.05, observed=0.0) if row["question"] == "with no error seen"]
        [59]
    """
    if not 0 <= observed < target < 1:
        raise Refusal(
            given=f"observed was {observed:g} and target {target:g}",
            expected="0 <= observed < target < 1",
            do="pass a target above the risk that you expect to see",
        )
    if examples < 1 or not 0 < delta < 1:
        raise Refusal(
            given=f"examples was {examples} and delta {delta:g}",
            expected="at least one example and 0 < delta < 1",
            do="pass examples=60000, delta=0.05",
        )
    nats, divergence, width = math.log(1 / delta), float(binary_kl(observed, target)), target - observed
    spare = float(binary_kl(observed, observed + width / 10))

    def row(family: str, question: str, answer: float, unit: str, source: str) -> dict[str, Any]:
        return {"family": family, "question": question, "answer": max(0, int(answer)), "unit": unit, "source": source}

    n = examples
    return [
        row("held-out", "with no error seen", math.ceil(nats / -math.log1p(-target)), "held-out examples", "Clopper & Pearson 1934"),
        row("held-out", f"with {observed:.3g} seen, exact", least(lambda m: exact(m, observed, delta) <= target),
            "held-out examples", "Clopper & Pearson 1934"),
        row("held-out", f"with {observed:.3g} seen, kl", least(lambda m: entropic(m, observed, delta) <= target),
            "held-out examples", "Langford 2005"),
        row("held-out", f"with {observed:.3g} seen, Hoeffding", math.ceil(nats / (2 * width**2)), "held-out examples",
            "Hoeffding 1963"),
        row("compression", f"code affordable with {n:,} examples", (n * divergence - nats) / math.log(2), "bits",
            "kl inversion of the Occam bound"),
        row("compression", "the same by Hoeffding", (2 * n * width**2 - nats) / math.log(2), "bits", "Langford 2005"),
        row("pac-bayes", f"divergence affordable with {n:,} examples", n * divergence - math.log(2 * math.sqrt(n) / delta), "nats",
            "Maurer 2004"),
        row("pac-bayes", "Monte-Carlo draws that cost a tenth of what is left", math.ceil(math.log(1 / (delta / 5)) / spare),
            "draws", "kl inversion at delta / 5"),
        row("occam", "a class of 10,000 bits, with no error on them", math.ceil((CODE * math.log(2) + nats) / target),
            "training examples", "Blumer et al. 1987"),
        row("occam", "the same, the best of the class within the gap to what is seen",
            math.ceil(2 * (CODE * math.log(2) + math.log(2 / delta)) / width**2), "training examples", "Hoeffding and a union bound"),
        row("vc", "a VC dimension of 100, with no error on them", math.ceil(consistent(100, target, delta)), "training examples",
            "Blumer et al. 1989, Theorem 2.1"),
        row("vc", f"VC dimension affordable with {n:,} examples", dimension(n, width, delta), "dimensions", "Vapnik 1998"),
    ]  # fmt: skip


def consistent(dimensions: int, target: float, delta: float) -> float:
    r"""Examples from which every consistent rule of a class errs by at most the target.

    .. math:: \max\Big(\tfrac4\epsilon \log_2 \tfrac2\delta,\; \tfrac{8 d}\epsilon \log_2 \tfrac{13}\epsilon\Big)

    Args:
        dimensions: VC dimension d.
        target: epsilon.
        delta: Failure probability.

    Returns:
        Their number.
    """
    return max(4 / target * math.log2(2 / delta), 8 * dimensions / target * math.log2(13 / target))


def exact(m: int, observed: float, delta: float) -> float:
    """The exact binomial bound where a share of m examples, rounded up, is wrong.

    Args:
        m: Held-out examples.
        observed: The share.
        delta: Failure probability.

    Returns:
        Upper bound on the risk.
    """
    return float(binomial_inverse_upper(math.ceil(observed * m), m, math.log(delta)))


def entropic(m: int, observed: float, delta: float) -> float:
    """The kl bound at a mean loss.

    Args:
        m: Held-out examples.
        observed: The mean.
        delta: Failure probability.

    Returns:
        Upper bound on the risk.
    """
    return float(kl_chernoff_upper(observed, m, math.log(delta)))


def dimension(n: int, width: float, delta: float) -> int:
    r"""The largest VC dimension whose bound is wide by at most ``width``.

    .. math:: \sqrt{(8 / n) (d \ln(2 e n / d) + \ln(4 / \delta))} \le w

    Args:
        n: Training examples.
        width: w.
        delta: Failure probability.

    Returns:
        d; 0 if even 1 is too large.
    """
    budget = n * width**2 / 8 - math.log(4 / delta)
    return least(lambda d: d > n or d * math.log(2 * math.e * n / d) > budget) - 1


def least(holds: Callable[[int], bool]) -> int:
    """The least whole number from which a property holds, up to the steps of rounding.

    Args:
        holds: False below some number, true from it on.

    Returns:
        That number; a trillion if it does not hold there either.
    """
    high = 1
    while high < MOST and not holds(high):
        high *= 2
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return min(high, MOST)
