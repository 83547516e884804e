"""Upper and lower bounds on networks: their order, their ratio, and the law of robustness."""

import numpy as np
import pytest
import torch
from tests import cases

from heldout.catalog import find, units
from heldout.engine.evidence.lipschitz import InputSteepness, LipschitzBounds
from heldout.engine.evidence.reading_units import read_measure, read_profile
from heldout.engine.evidence.resolving import Evidence
from heldout.measures.lipschitz import lipschitz_upper, lipschitz_upper_over_lower, robustness_law_ratio


def test_the_least_bound_counts_whichever_it_is() -> None:
    values = torch.tensor([[4.0, 3.0, 5.0, 2.0], [1.0, 3.0, 5.0, 2.0], [4.0, 3.0, 0.5, 2.0], [4.0, 1.5, 5.0, 2.0]])
    assert [lipschitz_upper(LipschitzBounds(*row)).item() for row in values] == [2.0, 1.0, 0.5, 1.5]


def test_a_constant_network_has_no_ratio() -> None:
    zero = torch.tensor(0.0)
    assert lipschitz_upper_over_lower(LipschitzBounds(*(zero,) * 4), InputSteepness(zero, zero, zero)).isnan()


def test_lower_bounds_lie_below_upper_ones_and_near_them_on_small_networks() -> None:
    evidence = Evidence(cases.together([cases.mlp(0), cases.mlp(1), cases.mlp(2)]))
    upper, lower, examples, ratio = (
        read_measure(find(name), evidence).value
        for name in ("lipschitz-upper", "lipschitz-lower", "largest-input-jacobian", "lipschitz-upper-over-lower")
    )
    assert (examples <= lower).all()
    assert (lower <= upper).all()
    np.testing.assert_allclose(ratio, upper / lower, rtol=1e-9)
    assert ratio.max() < 1.6


def test_fitting_noise_is_steeper() -> None:
    values = [
        read_measure(find("lipschitz-lower"), Evidence(case().subject())).value[0]
        for case in (cases.generalizer, cases.memorizer)
    ]
    assert values[0] < values[1]


def test_the_ratio_to_the_law_grows_with_parameters_and_falls_with_examples() -> None:
    found = InputSteepness(torch.tensor(1.0), torch.tensor(1.0), torch.tensor(3.0))
    assert robustness_law_ratio(found, 100, 20, 500).item() == pytest.approx(3.0 / 2.0)
    assert robustness_law_ratio(found, 400, 20, 2000).item() == pytest.approx(3.0 / 2.0)
    assert robustness_law_ratio(found, 400, 20, 500).item() == pytest.approx(3.0 / 4.0)


def test_the_profile_lists_all_bounds() -> None:
    evidence = Evidence(cases.together([cases.mlp(0), cases.mlp(1)]))
    rows = read_profile(units("profile")["lipschitz-by-bound"], evidence).rows
    assert [row["member"] for row in rows] == [0] * 6 + [1] * 6
    for member in (0, 1):
        own = [row for row in rows if row["member"] == member]
        lower = [row["value"] for row in own if row["side"] == "lower"]
        assert max(lower) <= min(row["value"] for row in own if row["side"] == "upper")
    assert next(row["value"] for row in rows if "quadratic" in row["bound"]) == pytest.approx(
        evidence["lipschitz_bounds"].quadratic[0].item()
    )
