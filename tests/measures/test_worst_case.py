"""Sharpness in boxes against the equations typed again in NumPy."""

import numpy as np
import pytest
import torch
from tests import cases
from tests.subjects import evidence

from heldout.catalog import find
from heldout.engine.evidence.box_radii import BoxRadius
from heldout.engine.evidence.reading_units import read_measure
from heldout.engine.evidence.resolving import Evidence
from heldout.measures import pacbayes, worst_case
from heldout.records import Status

W = torch.tensor([1.0, -3.0, 0.0, 0.002], dtype=torch.float64)


def search(passed: float, failed: float, converged: bool = True) -> BoxRadius:
    """A search that ended so."""
    ends = [torch.tensor(number, dtype=torch.float64) for number in (passed, failed)]
    return BoxRadius(*ends, torch.tensor(converged), ends[0][None], ends[0][None])


def term(vector: np.ndarray, m: int, alpha: float) -> float:
    """Equations (51) and (52), sigma being alpha over the root of ln(2 omega)."""
    breadth = np.log(2 * len(vector))
    return float((vector**2).sum() * breadth / (4 * alpha**2) + np.log(m * np.sqrt(breadth) / alpha) + 10)


@pytest.mark.parametrize("alpha", [0.02, 3.0])
def test_terms_by_hand(alpha: float) -> None:
    found = search(alpha, 1.5 * alpha)
    values = {
        worst_case.sharpness_alpha(found): lambda a: a,
        worst_case.sharpness_flatness(found): lambda a: 1 / a**2,
        worst_case.sharpness_orig(found, W, 7): lambda a: term(W.numpy(), 7, a),
        worst_case.sharpness_init(found, 2 * W, 7): lambda a: term(2 * W.numpy(), 7, a),
    }
    for value, expected in values.items():
        ends = sorted([expected(alpha), expected(1.5 * alpha)])
        assert value.value.item() == pytest.approx(expected(alpha), rel=1e-12)
        assert (value.low.item(), value.high.item()) == (pytest.approx(ends[0]), pytest.approx(ends[1]))
        assert bool(value.converged)
    assert not worst_case.sharpness_flatness(search(1.0, torch.inf, converged=False)).converged


def test_it_is_the_pac_bayes_term_at_the_noise_that_stays_in_the_box() -> None:
    from heldout.engine.evidence.noise import NoiseScale

    sigma = torch.tensor(0.3 / np.log(8) ** 0.5, dtype=torch.float64)
    noise = NoiseScale(sigma, sigma, torch.tensor(True), sigma, sigma, sigma)
    assert worst_case.sharpness_orig(search(0.3, 0.4), W, 7).value.item() == pytest.approx(
        pacbayes.pacbayes_orig(noise, W, 7).value.item(), rel=1e-12
    )


def test_readings_of_networks() -> None:
    source = evidence("mlp")
    for name, way in (("sharpness-alpha", "box_radius"), ("sharpness-mag-alpha", "magnitude_box_radius")):
        reading = read_measure(find(name), source)
        assert reading.value == pytest.approx(source[way].radius.numpy())
        assert reading.high == pytest.approx(source[way].failing.numpy())
    orig, init = (read_measure(find(f"sharpness-{word}"), source) for word in ("orig", "init"))
    for member in range(3):
        case = cases.mlp(member)
        w, w0 = (
            np.concatenate([p.detach().double().numpy().ravel() for p in network.parameters()])
            for network in (case.network, case.initial)
        )
        alpha = source["box_radius"].radius[member].item()
        assert orig.value[member] == pytest.approx(term(w, 60, alpha), rel=1e-5)
        assert init.value[member] == pytest.approx(term(w - w0, 60, alpha), rel=1e-5)


def test_memorised_labels_bear_smaller_boxes() -> None:
    good, bad = (evidence(name)["box_radius"] for name in ("generalizer", "memorizer"))
    assert (bad.failing < good.radius).all()


@pytest.mark.parametrize("name", ["sharpness-alpha", "sharpness-flatness", "sharpness-orig", "sharpness-init"])
def test_networks_that_err_already_have_none(name: str) -> None:
    case = cases.mlp()
    source = Evidence(case.subject(train=(case.train[0], (case.train[1] + 1) % cases.CLASSES)))
    reading = read_measure(find(name), source)
    assert reading.statuses == (Status.UNDEFINED,)
    assert "above 0.1" in reading.reasons[0]


def test_without_initial_weights_the_origin_is_left() -> None:
    source = Evidence(cases.linear().subject(initial=None))
    assert read_measure(find("sharpness-orig"), source).statuses == (Status.OK,)
    assert read_measure(find("sharpness-init"), source).statuses == (Status.NOT_APPLICABLE,)
