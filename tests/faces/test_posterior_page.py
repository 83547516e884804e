"""The page of a sampled posterior, from a record made by hand."""

from pathlib import Path
from typing import Any

import pytest

from heldout.faces.report import write_posterior_report
from heldout.faces.report.posterior import figures_of, render_posterior


def record(members: int = 2) -> dict[str, Any]:
    """The second network has not converged."""
    rows = [
        {"member": m, "name": name, "family": "learning_coefficient", "value": None if m else 1.5, "low": None if m else 1.25,
         "high": None if m else 1.75, "standard_error": 0.1, "unit": "", "status": "not-converged" if m else "ok",
         "reason": "the chains <do not> agree" if m else ""}
        for m in range(members) for name in ("learning-coefficient", "learning-coefficient-heat-capacity", "waic")
    ]  # fmt: skip
    diagnostics = [
        {"member": m, "converged": m == 0, "reason": "" if m == 0 else "the chains <do not> agree", "sampler": "hmc", "chains": 7,
         "draws": 100, "virial": 1.01,
         "diverged": 1.0, "parameters": 1200, "localisation": 0.5, "beta": 0.2, "sweeps": 512.0, "deficit": None}
        for m in range(members)
    ]  # fmt: skip
    traces = [
        {"member": m, "chain": c, "draw": d, "value": 0.1 * d} for m in range(members) for c in (0, 1) for d in (0, 1)
    ]
    subject = {
        "name": "Net",
        "members": members,
        "parameters": 12,
        "train_examples": 50,
        "train_mode_layers": ["1 (Dropout)"],
    }
    return {
        "schema": 1, "kind": "posterior", "subject": subject, "labels": ["early", "late"][:members], "asked": {}, "settings": {},
        "readings": rows, "diagnostics": diagnostics, "ladder": [], "hypothesis_weight": [], "correlations": [], "influences": [],
        "selection": {"rows": [], "swaps": []}, "absent": [], "traces": traces, "seconds": 1.25,
    }  # fmt: skip


def test_it_shows_numbers_with_intervals_and_reasons_without() -> None:
    page = render_posterior(record())
    assert "The posterior around Net" in page
    assert "1.25" in page
    assert "1.75" in page
    assert "the chains &lt;do not&gt; agree" in page
    assert "<do not>" not in page.split("<script")[0]
    assert "<dt>diverged</dt>" in page
    assert "1 (Dropout)" in page


def test_one_network_is_a_sentence_and_several_are_a_table() -> None:
    one = render_posterior(record(1))
    assert "learning coefficient is 1.5</b> (1.25 to 1.75)" in one
    assert "as much as 3 free parameters, of 1,200 parameters" in one
    assert '<table class="wide">' not in one
    several = render_posterior(record(2))
    assert "Its <b>learning coefficient" not in several
    assert "<b>1.5</b>" in several
    assert several.index("learning-coefficients") < several.index("posterior-chains")
    none = record(1)
    none["readings"] = [
        {**row, "value": None, "low": None, "high": None, "reason": "too short"} for row in none["readings"]
    ]
    assert "<b>no learning coefficient</b> to report: too short." in render_posterior(none)


@pytest.mark.parametrize(
    ("members", "names"), [(1, {"posterior-chains"}), (2, {"posterior-chains", "learning-coefficients"})]
)
def test_several_networks_have_a_figure_of_their_coefficients(members: int, names: set[str]) -> None:
    assert set(figures_of(record(members))) == names
    assert figures_of({**record(1), "traces": []}) == {}


def test_it_is_one_file(tmp_path: Path) -> None:
    place = tmp_path / "posterior.html"
    assert write_posterior_report(record(), str(place)) == str(place)
    assert "http://" not in place.read_text().split("<script")[0]
