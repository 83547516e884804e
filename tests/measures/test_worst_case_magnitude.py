"""Sharpness in boxes that follow the weights, against the equations typed again in NumPy."""

import numpy as np
import pytest
import torch
from tests import cases
from tests.subjects import evidence

from heldout.catalog import find
from heldout.engine.evidence.box_radii import BoxRadius
from heldout.engine.evidence.noise import NoiseScale
from heldout.engine.evidence.reading_units import read_measure
from heldout.engine.evidence.resolving import Evidence
from heldout.measures import worst_case_magnitude as aware
from heldout.measures.pacbayes import pacbayes_mag_orig
from heldout.records import Status

W = torch.tensor([1.0, -3.0, 0.0, 0.002], dtype=torch.float64)
MOVED = torch.tensor([0.5, 0.0, -2.0, 0.001], dtype=torch.float64)


def search(passed: float, failed: float) -> BoxRadius:
    """A search that ended so."""
    ends = [torch.tensor(number, dtype=torch.float64) for number in (passed, failed)]
    return BoxRadius(*ends, torch.tensor(True), ends[0][None], ends[0][None])


def term(centre: np.ndarray, moved: np.ndarray, m: int, alpha: float, delta: float = 0.05) -> float:
    """Equations (59) and (60), sigma' being alpha' over the root of 4 ln(2 omega / delta)."""
    omega, epsilon = len(centre), 1e-3
    reach = 4 * np.log(2 * omega / delta)
    above = epsilon**2 + (alpha**2 + reach) * (centre**2).sum() / omega
    whole = 0.25 * np.log(above / (epsilon**2 + alpha**2 * moved**2)).sum()
    return float(whole + np.log(m * np.sqrt(reach) / alpha) + 10)


@pytest.mark.parametrize("delta", [0.05, 0.3])
@pytest.mark.parametrize("alpha", [0.02, 3.0])
def test_terms_by_hand(alpha: float, delta: float) -> None:
    found, w, moved = search(alpha, 1.5 * alpha), W.numpy(), MOVED.numpy()
    values = {
        aware.sharpness_mag_alpha(found): lambda a: a,
        aware.sharpness_mag_flatness(found): lambda a: 1 / a**2,
        aware.sharpness_mag_orig(found, W, MOVED, 7, delta=delta): lambda a: term(w, moved, 7, a, delta),
        aware.sharpness_mag_init(found, MOVED, 7, delta=delta): lambda a: term(moved, moved, 7, a, delta),
    }
    for value, expected in values.items():
        ends = sorted([expected(alpha), expected(1.5 * alpha)])
        assert value.value.item() == pytest.approx(expected(alpha), rel=1e-12)
        assert (value.low.item(), value.high.item()) == (pytest.approx(ends[0]), pytest.approx(ends[1]))


def test_it_is_the_pac_bayes_term_at_the_noise_that_stays_in_the_box() -> None:
    # epsilon, which the correspondence leaves out, is far below the weights here
    w, moved, reach = 1e4 * W[:2], 1e4 * torch.ones(2, dtype=torch.float64), 4 * np.log(2 * 2 / 0.05)
    sigma = torch.tensor(0.3 / reach**0.5, dtype=torch.float64)
    noise = NoiseScale(sigma, sigma, torch.tensor(True), sigma, sigma, sigma)
    assert aware.sharpness_mag_orig(search(0.3, 0.4), w, moved, 7).value.item() == pytest.approx(
        pacbayes_mag_orig(noise, w, moved, 7).value.item(), rel=1e-9
    )


def test_readings_of_networks() -> None:
    source = evidence("mlp")
    orig, init = (read_measure(find(f"sharpness-mag-{word}"), source) for word in ("orig", "init"))
    for member in range(3):
        case = cases.mlp(member)
        w, w0 = (
            np.concatenate([p.detach().double().numpy().ravel() for p in network.parameters()])
            for network in (case.network, case.initial)
        )
        alpha = source["magnitude_box_radius"].radius[member].item()
        assert orig.value[member] == pytest.approx(term(w, w - w0, 60, alpha), rel=1e-5)
        assert init.value[member] == pytest.approx(term(w - w0, w - w0, 60, alpha), rel=1e-5)


def test_networks_that_err_already_have_none_and_without_initial_weights_only_alpha_is_left() -> None:
    case = cases.linear()
    wrong = Evidence(case.subject(train=(case.train[0], (case.train[1] + 1) % cases.CLASSES)))
    unknown = Evidence(case.subject(initial=None))
    for name in ("alpha", "flatness", "orig", "init"):
        reading = read_measure(find(f"sharpness-mag-{name}"), wrong)
        assert reading.statuses == (Status.UNDEFINED,)
        assert "above 0.1" in reading.reasons[0]
        wanted = Status.OK if name in ("alpha", "flatness") else Status.NOT_APPLICABLE
        assert read_measure(find(f"sharpness-mag-{name}"), unknown).statuses == (wanted,)
