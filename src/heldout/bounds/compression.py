"""Occam's bound for networks that short messages hold."""

from typing import Any

import numpy as np

from heldout.catalog import bound
from heldout.engine.evidence.compression import Codes
from heldout.engine.numerics import binomial_inverse_upper, hoeffding_upper
from heldout.records import Bounded

STATEMENT = "probability over the draw of the training examples"
STEPS = (
    (
        "the errors of every network that a message can hold are not this few by chance, at delta times 2^-bits each",
        1.0,
    ),
)


def finite_class(generator: np.random.Generator, problems: int) -> tuple[dict[str, Any], np.ndarray]:
    """Problems of known risk: 64 networks of six bits, all of risk 0.3 on 150 examples, of which the bound takes the luckiest.

    Args:
        generator: Randomness.
        problems: How many.

    Returns:
        Evidence by name, and the true risks.
    """
    errors = generator.binomial(150, 0.3, size=(64, problems)).astype(np.float64)
    drawn = Codes(errors, np.full(errors.shape, 6.0), 150)
    return {"codes": drawn}, np.full(problems, 0.3)


def _split_problem(generator: np.random.Generator, problems: int) -> tuple[dict[str, Any], np.ndarray]:
    needs, risks = finite_class(generator, problems)
    return {"codes_from_split": needs["codes"]}, risks


@bound(
    source="Blumer et al. 1987 (Occam); Lotfi et al. 2022 (subspaces, codebooks); binomial inversion: Langford 2005",
    certifies="the compressed network",
    statement=STATEMENT,
    family="compression",
    problem=finite_class,
)
def compressed_network(codes: Codes, *, log_delta: float) -> Bounded:
    r"""Risk of a network that a message of K bits holds, for all messages at once.

    .. math:: \sup \{ p : P[\mathrm{Bin}(n, p) \le k] \ge \delta \, 2^{-K} \}

    Networks are trained in random subspaces around the untrained one, their coordinates quantised and arithmetic-coded; the message
    holds dimension, levels, counts and coordinates, is prefix-free and was decoded again. Choosing the best of those that were
    tried needs no further price: messages of all dimensions and codebooks share one delta. It certifies the decoded network, not
    the one it stands for.

    Args:
        codes: Errors and lengths.
        log_delta: Natural logarithm of the failure probability.

    Returns:
        Upper bounds, the smallest over the messages, and their account.

    Example:
        >>> known = Codes(np.array([[1800.0]]), np.array([[4000.0 + 24]]), 60000)
        >>> print(f"{compressed_network(known, log_delta=np.log(0.05)).value[0]:.4f}")
        0.1124
    """
    return _bounded(
        codes, log_delta, np.asarray(binomial_inverse_upper(codes.errors, codes.examples, _spent(codes, log_delta)))
    )


@bound(
    source="Langford 2005; Wilson 2025, in Hoeffding's form",
    certifies="the compressed network",
    statement=STATEMENT,
    family="compression",
    problem=finite_class,
)
def compressed_network_by_hoeffding(codes: Codes, *, log_delta: float) -> Bounded:
    r"""The same with Hoeffding's inequality in place of the binomial, as it is often printed.

    .. math:: \hat R + \sqrt{(K \ln 2 + \ln(1/\delta)) / (2 n)}

    It is here because people know it: never tighter, and far looser where few errors are made.

    Args:
        codes: Errors and lengths.
        log_delta: Natural logarithm of the failure probability.

    Returns:
        Upper bounds, the smallest over the messages, and their account.

    Example:
        >>> known = Codes(np.array([[1800.0]]), np.array([[4000.0 + 24]]), 60000)
        >>> print(f"{compressed_network_by_hoeffding(known, log_delta=np.log(0.05)).value[0]:.3f}")
        0.183
    """
    risks = codes.errors / codes.examples
    return _bounded(codes, log_delta, np.asarray(hoeffding_upper(risks, codes.examples, _spent(codes, log_delta))))


@bound(
    source="Lotfi et al. 2022, section 5 (data-dependent priors); Dziugaite et al. 2021",
    certifies="a network compressed around one that a part of the data trained",
    statement=STATEMENT + " that did not train the starting point",
    family="compression",
    problem=_split_problem,
)
def compressed_learnt_prior(codes_from_split: Codes, *, log_delta: float) -> Bounded:
    """The same around networks that were trained on a part of the examples, the bound resting on the others.

    The starting point itself could be certified on these others by Clopper and Pearson: that is the baseline.

    Args:
        codes_from_split: Errors and lengths, and the errors of the starting points.
        log_delta: Natural logarithm of the failure probability.

    Returns:
        Upper bounds, the smallest over the messages, and their account.

    Example:
        >>> known = Codes(np.array([[9.0]]), np.array([[60.0]]), 900, reference_errors=np.array([18.0]))
        >>> said = compressed_learnt_prior(known, log_delta=np.log(0.05))
        >>> bool(said.value[0] > said.baseline[0])
        True
    """
    codes = codes_from_split
    value = np.asarray(binomial_inverse_upper(codes.errors, codes.examples, _spent(codes, log_delta)))
    return _bounded(codes, log_delta, value)


def _spent(codes: Codes, log_delta: float) -> np.ndarray:
    """The logarithm of delta 2^-bits, rounded down."""
    return np.asarray(np.nextafter(log_delta - codes.bits * np.nextafter(np.log(2.0), np.inf), -np.inf))


def _bounded(codes: Codes, log_delta: float, values: np.ndarray) -> Bounded:
    best, members = values.argmin(0), np.arange(values.shape[1])
    parts = codes.parts[best[0]][0] if codes.parts and len(members) == 1 else {}
    errors = codes.reference_errors
    return Bounded(
        value=values[best, members],
        steps=STEPS,
        empirical_risk=codes.errors[best, members] / codes.examples,
        examples=codes.examples,
        data=codes.data,
        code={**parts, "all": float(codes.bits[best[0], 0])} if len(members) == 1 else {},
        baseline=None if errors is None else np.asarray(binomial_inverse_upper(errors, codes.examples, log_delta)),
        terms={"bits": codes.bits[best, members], "messages tried": np.full(len(members), float(len(values)))},
    )
