"""Thousands of problems of known risk: does a certificate fail at most delta of the time?"""

import math
from dataclasses import dataclass

import numpy as np

from heldout.catalog import find
from heldout.engine.numerics import binomial_inverse_lower, binomial_inverse_upper
from heldout.records import Refusal


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
    shape = (problems, examples)
    if concentration > 0:
        losses = generator.beta(risk * concentration, (1 - risk) * concentration, size=shape)
    else:
        losses = (generator.random(shape) < risk).astype(np.float64)
    bounds, _ = unit.function(losses, log_delta=math.log(delta))
    violations = int((bounds < risk).sum())
    side = math.log(0.025)
    return Coverage(
        problems,
        violations,
        violations / problems,
        float(binomial_inverse_lower(violations, problems, side)),
        float(binomial_inverse_upper(violations, problems, side)),
    )
