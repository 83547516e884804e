"""The spectral PAC-Bayes number, typed again; deeper and louder is never tighter."""

import math

import numpy as np
import pytest

from heldout.bounds.pac_bayes_spectral import pac_bayes_spectral
from heldout.engine.evidence.direction_problems import random_directions


def test_against_the_formula_typed_again() -> None:
    needs, _ = random_directions(np.random.default_rng(0), 2)
    norms, shares = needs["layer_norms"], needs["margin_shares"]
    said = pac_bayes_spectral(**needs, log_delta=math.log(0.05))
    n, width, depth = 20000, 2, 1
    spectral, frobenius = norms.spectral[0, 0], norms.frobenius[0, 0]
    kl = (
        16
        * math.e**3
        * 1.0
        * depth**2
        * width
        * math.log(4 * depth * width)
        * spectral**2
        * (frobenius / spectral) ** 2
    )
    level = math.ceil(math.log(spectral) / (1 / (2 * depth)))
    price = math.log((math.pi**2 / 3 - 1) * (abs(level) + 1) ** 2)
    values = []
    for j, share in zip(shares.levels, shares.shares[0], strict=True):
        paid = math.log(6 * n / 0.05) + price + math.log((math.pi**2 / 3 - 1) * (abs(j) + 1) ** 2)
        values.append(share + 4 * math.sqrt((kl / math.sqrt(2) ** (2 * j) + paid) / (n - 1)))
    assert said.value[0] == pytest.approx(min(values))
    assert said.steps == ()
    assert said.terms["radius"].tolist() == [1.0, 1.0]
