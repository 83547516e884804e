"""Spectra of the curvature: what is drawn is what the profile holds, and the menu has both matrices."""

import numpy as np
from tests import cases
from tests.figures.test_figures import rows_of

from heldout.catalog import find
from heldout.engine.evidence.reading_units import read_profile
from heldout.engine.evidence.resolving import Evidence
from heldout.faces.report.drawing import tables
from heldout.figures.curvature_density import curvature_spectrum
from heldout.records import Profile


def profile() -> Profile:
    return read_profile(find("curvature-density"), Evidence(cases.together([cases.mlp(seed=s) for s in (0, 1)])))


def test_the_menu_has_both_matrices_and_every_row_is_drawn() -> None:
    rows = profile().rows
    record = {
        "readings": [], "certificates": [], "contrasts": [], "subject": {"members": 2, "groups": ["a", "b"]},
        "profiles": [{"name": "curvature-density", "rows": rows}],
    }  # fmt: skip
    given = tables(record)["curvature_density"]
    chart = curvature_spectrum(given).to_dict()
    assert [parameter["bind"]["options"] for parameter in chart["params"]] == [["Hessian", "Gauss-Newton"]]
    drawn = rows_of(chart)
    assert len(drawn) % len(given) == 0
    assert drawn[: len(given)] == given
    assert {row["group"] for row in drawn} == {"a", "b"}
    assert all(0 < row["low"] <= row["density"] <= row["high"] for row in drawn)


def test_only_the_hessian_reaches_below_zero() -> None:
    rows = profile().rows
    lowest = {
        kind: min(row["eigenvalue"] for row in rows if row["matrix"] == kind) for kind in ("Hessian", "Gauss-Newton")
    }
    widths = {kind: np.ptp([row["eigenvalue"] for row in rows if row["matrix"] == kind]) for kind in lowest}
    assert -0.1 * widths["Gauss-Newton"] < lowest["Gauss-Newton"] < 0  # three widths of the smoothing
    assert lowest["Hessian"] < lowest["Gauss-Newton"]
