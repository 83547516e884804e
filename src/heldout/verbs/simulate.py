"""Thousands of problems of known risk: does a certificate fail at most delta of the time?"""

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from heldout.catalog import Unit, find
from heldout.engine.numerics import binomial_inverse_lower, binomial_inverse_upper
from heldout.records import Bounded, Refusal, Status
from heldout.verbs.certificates import bounds_of
from heldout.verbs.certify import families_named

#: Problems of the held-out family: true risk, examples, concentration of the losses (0 for errors).
HELD_OUT = ((0.02, 60, 0.0), (0.3, 100, 0.0), (0.1, 200, 3.0))


@dataclass(frozen=True, slots=True)
class Coverage:
    """What a simulation saw.

    Attributes:
        problems: How many were drawn.
        violations: In how many the bound lay below the risk.
        rate: Their share.
        low: Lower end of the exact 95 % interval of the true rate.
        high: Upper end.
    """

    problems: int
    violations: int
    rate: float
    low: float
    high: float


def simulate(
    name: str,
    *,
    risk: float,
    examples: int,
    delta: float = 0.05,
    problems: int = 2000,
    concentration: float = 0.0,
    seed: int = 0,
) -> Coverage:
    """Draw problems of known risk and count how often the bound lies below it.

    Args:
        name: Of a bound.
        risk: True mean of the loss, strictly between 0 and 1.
        examples: Held-out examples of each problem.
        delta: Failure probability that the bound promises.
        problems: How many.
        concentration: 0 for 0-1 errors; above, losses follow a Beta law of this concentration and mean ``risk``.
        seed: Of the draws.

    Returns:
        The violations with their interval.

    Raises:
        Refusal: If the name is no bound's, or the risk is not strictly between 0 and 1.
    """
    unit = find(name)
    if unit.kind != "bound":
        raise Refusal(given=f"'{name}' is a {unit.kind}", expected="a bound", do="see 'heldout list --kind bound'")
    if not 0 < risk < 1:
        raise Refusal(given=f"risk was {risk}", expected="a number strictly between 0 and 1", do="pass risk=0.05")
    generator = np.random.default_rng(seed)
    return counted(
        unit, {"held_out_losses": losses_of_mean(generator, risk, (problems, examples), concentration)}, risk, delta
    )


def simulate_family(family: str, *, problems: int = 2000, delta: float = 0.05, seed: int = 0) -> list[dict[str, Any]]:
    """Simulate every valid bound of a family on problems of known risk.

    Args:
        family: Its name.
        problems: How many problems of each kind.
        delta: Failure probability that the bounds promise.
        seed: Of the draws.

    Returns:
        Rows with bound, problem in words, the coverage, delta, and the verdict: holds, or violated beyond chance.

    Raises:
        Refusal: If there is no such family, it has no valid bound, or there are no problems.
    """
    if problems < 1:
        raise Refusal(given=f"problems was {problems}", expected="at least 1", do="pass problems=2000")
    rows: list[dict[str, Any]] = []
    for unit in bounds_of(families_named([family])):
        if unit.fields["standing"] is not Status.VALID:
            continue
        for words, needs, risks in problems_of(unit, problems, seed):
            seen = counted(unit, needs, risks, delta)
            verdict = "holds" if seen.low <= delta else "violated"
            rows.append({"bound": unit.name, "problem": words, **asdict(seen), "delta": delta, "verdict": verdict})
    if not rows:
        raise Refusal(
            given=f"'{family}' has no bound that a theorem makes valid",
            expected="a family of certificates",
            do="choose another; estimates and correlates promise no coverage",
        )
    return rows


def problems_of(unit: Unit, problems: int, seed: int) -> list[tuple[str, dict[str, Any], Any]]:
    """Problems of known risk for a bound.

    Args:
        unit: The bound.
        problems: How many of each kind.
        seed: Of the draws.

    Returns:
        Kinds with words, evidence by name, and true risks.
    """
    made = unit.fields["problem"]
    if made is not None:
        needs, risks = made(np.random.default_rng(seed), problems)
        return [("its own", needs, risks)]
    found = []
    for place, (risk, examples, concentration) in enumerate(HELD_OUT):
        if concentration and unit.name == "clopper-pearson":
            continue
        losses = losses_of_mean(np.random.default_rng([seed, place]), risk, (problems, examples), concentration)
        kind = "losses" if concentration else "errors"
        found.append((f"{kind} of mean {risk:g}, {examples} examples", {"held_out_losses": losses}, risk))
    return found


def losses_of_mean(generator: np.random.Generator, risk: float, shape: tuple[int, int], concentration: float) -> Any:
    """Losses of a known mean.

    Args:
        generator: Randomness.
        risk: The mean.
        shape: Problems and examples.
        concentration: Of a Beta law; 0 for errors.

    Returns:
        Of this shape, float64.
    """
    if concentration > 0:
        return generator.beta(risk * concentration, (1 - risk) * concentration, size=shape)
    return (generator.random(shape) < risk).astype(np.float64)


def counted(unit: Unit, needs: dict[str, Any], risks: Any, delta: float) -> Coverage:
    """How often a bound lies below the risk.

    Args:
        unit: The bound.
        needs: Evidence by name, one member a problem.
        risks: True risks, one for all or one a problem.
        delta: Failure probability.

    Returns:
        The violations with their interval.
    """
    answer = unit.function(**needs, log_delta=math.log(delta))
    bounds = answer.value if isinstance(answer, Bounded) else answer[0]
    violations, problems, side = int((np.asarray(bounds) < risks).sum()), len(bounds), math.log(0.025)
    return Coverage(
        problems,
        violations,
        violations / problems,
        float(binomial_inverse_lower(violations, problems, side)),
        float(binomial_inverse_upper(violations, problems, side)),
    )
