"""PAC-Bayes terms against the equations typed again in NumPy, with weights and folding of their own."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from tests import cases
from tests.oracles import perturbation as oracle
from torch import nn

from heldout.catalog import find
from heldout.engine.evidence.noise import NoiseScale
from heldout.engine.evidence.reading_units import read_measure
from heldout.engine.evidence.resolving import Evidence
from heldout.measures.pacbayes import pacbayes_init, pacbayes_mag_init, pacbayes_mag_orig, pacbayes_orig
from heldout.records import Status


def plain_term(vector: np.ndarray, m: int, sigma: float) -> float:
    """Equations (48) and (49)."""
    return float((vector**2).sum() / (4 * sigma**2) + np.log(m / sigma) + 10)


def aware_term(centre: np.ndarray, moved: np.ndarray, m: int, sigma: float) -> float:
    """Equations (56) and (57)."""
    omega, epsilon = len(centre), 1e-3
    above = epsilon**2 + (sigma**2 + 1) * (centre**2).sum() / omega
    return float(0.25 * np.log(above / (epsilon**2 + sigma**2 * moved**2)).sum() + np.log(m / sigma) + 10)


def vector_of(network: nn.Module, name: str) -> np.ndarray:
    whole = oracle.folded(network) if name == "cnn" else network
    return np.concatenate([p.detach().double().numpy().ravel() for p in whole.parameters()])


@pytest.mark.parametrize("name", ["mlp", "cnn", "transformer"])
def test_networks_against_numpy(name: str) -> None:
    members = [cases.ALL[name](seed=seed) for seed in range(3)]
    evidence = Evidence(cases.together(members))
    readings = {
        word: read_measure(find(f"pacbayes-{word}"), evidence) for word in ("orig", "init", "mag-orig", "mag-init")
    }
    plain, aware = (evidence[way].scale.numpy() for way in ("noise_scale", "magnitude_noise_scale"))
    numbers = 0
    for index, case in enumerate(members):
        if np.isnan(plain[index]):
            assert all(reading.statuses[index] is Status.UNDEFINED for reading in readings.values())
            continue
        w, w0 = vector_of(case.network, name), vector_of(case.initial, name)
        expected = {
            "orig": plain_term(w, 60, plain[index]),
            "init": plain_term(w - w0, 60, plain[index]),
            "mag-orig": aware_term(w, w - w0, 60, aware[index]),
            "mag-init": aware_term(w - w0, w - w0, 60, aware[index]),
        }
        for word, value in expected.items():
            assert readings[word].value[index] == pytest.approx(value, rel=1e-5), word
        numbers += 1
    assert numbers


def search(sigma: float, standard_error: float = 0.2) -> NoiseScale:
    point = torch.tensor([sigma, standard_error, 1.0], dtype=torch.float64)
    return NoiseScale(point[0], point[1], point[2].bool(), point, point, point)


W = torch.tensor([1.0, -3.0, 0.0, 0.002], dtype=torch.float64)
MOVED = torch.tensor([0.5, 0.0, -2.0, 0.001], dtype=torch.float64)


@pytest.mark.parametrize("sigma", [0.05, 1.0, 40.0])
@pytest.mark.parametrize(
    "term",
    [
        lambda s: pacbayes_orig(s, W, 7),
        lambda s: pacbayes_init(s, MOVED, 7),
        lambda s: pacbayes_mag_orig(s, W, MOVED, 7),
        lambda s: pacbayes_mag_init(s, MOVED, 7),
    ],
)
def test_standard_errors_against_differences(term: Callable[[NoiseScale], object], sigma: float) -> None:
    step = 1e-6 * sigma
    slope = (term(search(sigma + step)).value - term(search(sigma - step)).value) / (2 * step)
    assert term(search(sigma)).standard_error.item() == pytest.approx(0.2 * abs(slope.item()), rel=1e-5, abs=1e-8)


def test_vectors_by_hand() -> None:
    assert pacbayes_orig(search(2.0), W, 7).value.item() == pytest.approx(plain_term(W.numpy(), 7, 2.0), rel=1e-12)
    assert pacbayes_mag_orig(search(2.0), W, MOVED, 7).value.item() == pytest.approx(
        aware_term(W.numpy(), MOVED.numpy(), 7, 2.0), rel=1e-12
    )


def test_without_initial_weights_only_the_origin_is_left() -> None:
    evidence = Evidence(cases.generalizer().subject(initial=None))
    assert read_measure(find("pacbayes-orig"), evidence).statuses == (Status.OK,)
    for name in ("pacbayes-init", "pacbayes-mag-init", "pacbayes-mag-orig"):
        reading = read_measure(find(name), evidence)
        assert reading.statuses == (Status.NOT_APPLICABLE,)
        assert "initial" in reading.reasons[0]
