"""Flatness readings: powers of the noise scale, their standard errors, and the statuses of networks without one."""

import numpy as np
import pytest
import torch
from tests import cases

from heldout.catalog import find
from heldout.engine.evidence.noise import NoiseScale
from heldout.engine.evidence.reading_units import read_measure, read_profile
from heldout.engine.evidence.resolving import Evidence
from heldout.measures.flatness import noise_curve, pacbayes_flatness, pacbayes_mag_flatness
from heldout.records import Passes, Status

PAIRS = [("noise_scale", "pacbayes-sigma", "pacbayes-flatness"),
         ("magnitude_noise_scale", "pacbayes-mag-sigma", "pacbayes-mag-flatness")]  # fmt: skip


def scale(value: float, standard_error: float, converged: bool = True) -> NoiseScale:
    """A search that ended so."""
    point = torch.zeros(3, dtype=torch.float64)
    numbers = [torch.tensor(number, dtype=torch.float64) for number in (value, standard_error)]
    return NoiseScale(*numbers, torch.tensor(converged), point, point, point)


@pytest.mark.parametrize(("evidence_name", "sigma", "flatness"), PAIRS)
def test_flatness_is_one_over_sigma_squared_and_never_its_root(evidence_name: str, sigma: str, flatness: str) -> None:
    case = cases.generalizer()
    evidence = Evidence(case.subject())
    found = evidence[evidence_name]
    first, second = read_measure(find(sigma), evidence), read_measure(find(flatness), evidence)
    assert first.statuses == second.statuses == (Status.OK,)
    assert first.value == pytest.approx(found.scale.numpy(), rel=1e-12)
    assert first.standard_error == pytest.approx(found.standard_error.numpy(), rel=1e-12)
    assert second.value == pytest.approx(first.value**-2, rel=1e-12)
    assert second.standard_error == pytest.approx(2 * first.standard_error / first.value**3, rel=1e-12)
    assert isinstance(first.passes, Passes)
    assert first.passes.forward <= 17  # sixteen and the outputs


@pytest.mark.parametrize("function", [pacbayes_flatness, pacbayes_mag_flatness])
def test_the_delta_method_against_a_difference(function: object) -> None:
    assert callable(function)
    step = 1e-6
    slope = (function(scale(0.3 + step, 0.1)).value - function(scale(0.3 - step, 0.1)).value) / (2 * step)
    assert function(scale(0.3, 0.1)).standard_error.item() == pytest.approx(0.1 * abs(slope.item()), rel=1e-6)


def test_statuses_of_networks_without_a_scale() -> None:
    fitted, fresh = cases.generalizer(), cases.generalizer(1)
    evidence = Evidence(fitted.subject(network=[fitted.network, fresh.initial], initial=None))
    for _, sigma, flatness in PAIRS:
        for name in (sigma, flatness):
            reading = read_measure(find(name), evidence)
            assert reading.statuses == (Status.OK, Status.UNDEFINED)
            assert "at least 0.1" in reading.reasons[1]
            assert reading.rows()[1]["value"] is None
    assert not pacbayes_flatness(scale(0.3, 0.1, converged=False)).converged


def test_only_classifications_have_a_scale() -> None:
    reading = read_measure(find("pacbayes-sigma"), Evidence(cases.regression().subject()))
    assert reading.statuses == (Status.NOT_APPLICABLE,)
    assert "regression" in reading.reasons[0]


def test_the_curve_holds_the_points_that_were_evaluated() -> None:
    evidence = Evidence(cases.together([cases.generalizer(seed) for seed in range(2)]))
    rows = read_profile(find("noise-curve"), evidence).rows
    plain, aware = evidence["noise_scale"], evidence["magnitude_noise_scale"]
    assert len(rows) == 2 * 2 * plain.sigmas.shape[1]
    for kind, found in (("plain", plain), ("magnitude-aware", aware)):
        for member in range(2):
            mine = [row for row in rows if row["kind"] == kind and row["member"] == member]
            assert [row["sigma"] for row in mine] == found.sigmas[member].tolist()
            assert (np.diff([row["sigma"] for row in mine]) >= 0).all()
            assert [row["error"] for row in mine] == found.errors[member].tolist()
            assert [row["standard_error"] for row in mine] == found.errors_standard_error[member].tolist()
            # The tenth lies between points on either side of the scale.
            below = [row["error"] for row in mine if row["sigma"] < found.scale[member].item()]
            assert min(below) < 0.1 < max(row["error"] for row in mine)


def test_columns_of_the_curve() -> None:
    point = torch.tensor([[0.5, 1.0]])
    found = NoiseScale(point[:, 0], point[:, 0], point[:, 0], point, 0.1 * point, 0.01 * point)
    columns = noise_curve(found, found)
    assert list(columns) == ["member", "kind", "sigma", "error", "standard_error"]
    assert columns["kind"] == ["plain"] * 2 + ["magnitude-aware"] * 2
    assert columns["member"] == [0] * 4
