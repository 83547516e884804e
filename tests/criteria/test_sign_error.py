"""Sign errors: loops over environments, the Hoeffding weights, axes, what is left out."""

import numpy as np
import pytest
from tests.criteria.ledgers import once, small
from tests.oracles import judging

from heldout.criteria.sign_error import sign_error
from heldout.engine.judging import designed


@pytest.mark.parametrize("n", [20.0, 2000.0])
def test_against_loops_over_environments(n: float) -> None:
    design, measures, gap = small()
    gap = gap / 5
    settings = [tuple(row) for row in design.codes.tolist()]
    found = sign_error(measures, gap[None], once(design), design, n)
    for row, measure in enumerate(measures):
        errors = judging.sign_errors(measure, gap, settings, n)
        assert found["mean"][row, 0] == pytest.approx(np.mean(errors))
        assert found["worst"][row, 0] == pytest.approx(np.max(errors))
        assert found["ninetieth-percentile"][row, 0] == pytest.approx(np.quantile(errors, 0.9))


def test_a_measure_of_size_errs_as_often_as_larger_is_better() -> None:
    # digest, section 2: .791 and .901 are the shares of environments where the larger network generalizes better
    draws = np.random.default_rng(0)
    width = np.repeat(np.arange(8), 6)
    gap = -0.05 * width + 0.04 * draws.normal(size=48)
    design = designed({"width": width})
    found = sign_error(width[None].astype(float), gap[None], once(design), design, np.inf, axis=0)
    better = [np.mean(gap[width == a][:, None] > gap[width == b][None]) for a in range(8) for b in range(a + 1, 8)]
    assert found["mean"][0, 0] == pytest.approx(np.mean(better))


def test_replicates_axes_and_what_has_no_environment() -> None:
    design, measures, gap = small()
    both = sign_error(measures, np.stack([gap, -gap]), once(design), design, np.inf, axis=1)
    alone = sign_error(measures, -gap[None], once(design), design, np.inf, axis=1)
    assert both["mean"][:, 1] == pytest.approx(alone["mean"][:, 0])
    assert both["mean"][3].tolist() == pytest.approx([1.0, 0.0])  # minus the gap is always wrong
    lonely = designed({"a": np.array([0, 1]), "b": np.array([0, 1])})
    assert np.isnan(sign_error(np.ones((1, 2)), np.ones((1, 2)), once(lonely), lonely, 10.0)["worst"]).all()
    few = sign_error(measures, gap[None] * 1e-6, once(design), design, 100.0)  # nothing is told apart by 100 examples
    assert np.isnan(few["mean"]).all()


def test_resampled_environments_weigh_as_often_as_their_pairs_were_drawn() -> None:
    design = designed({"a": np.array([0, 1, 2])})
    measure, gap = np.array([[1.0, 3, 2]]), np.array([[0.1, 0.2, 0.3]])
    drawn = np.array([[1.0, 1, 0], [2.0, 1, 1]])
    found = sign_error(measure, gap, drawn, design, np.inf)["mean"][0]
    assert found.tolist() == pytest.approx([0.0, 1 / 5])  # pairs count 2, 2 and 1; the last is wrong
