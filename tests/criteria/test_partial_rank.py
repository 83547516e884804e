"""Partial rank correlation: least squares by hand, proxies of the design, replicates, weights as copies."""

import numpy as np
import pytest
from scipy.stats import rankdata, spearmanr
from tests.criteria.ledgers import grid, once, small

from heldout.criteria.partial_rank import design_columns, partial_rank
from heldout.engine.judging import designed


def by_hand(measure: np.ndarray, gap: np.ndarray, columns: np.ndarray) -> float:
    rest = []
    for values in (measure, gap):
        ranks = rankdata(values)
        rest.append(ranks - columns @ np.linalg.lstsq(columns, ranks, rcond=None)[0])
    return float(np.corrcoef(*rest)[0, 1])


def test_against_least_squares_by_hand() -> None:
    design, measures, gap = small()
    found = partial_rank(measures, gap[None], once(design), design)[:, 0]
    columns = design_columns(design)
    assert found[[0, 1, 3]] == pytest.approx([by_hand(measures[i], gap, columns) for i in (0, 1, 3)])


def test_without_hyper_parameters_it_is_spearman_s() -> None:
    draws = np.random.default_rng(0).normal(size=(2, 30))
    design = designed({"seed": np.zeros(30)})
    assert design.axes == ()
    assert partial_rank(draws[:1], draws[1:], once(design), design).item() == pytest.approx(spearmanr(*draws).statistic)


def test_a_proxy_of_the_design_has_nothing_left_and_so_have_two_way_interactions_on_a_large_ledger() -> None:
    design = grid((3, 3, 3), 8)
    proxy = design.codes[:, 0] * 2.0 - design.codes[:, 2] + 0.5 * design.codes[:, 0] * design.codes[:, 1]
    gap = np.random.default_rng(0).normal(size=design.networks)
    assert design_columns(design).shape[1] == 1 + 6 + 12
    assert abs(partial_rank((design.codes[:, :1].T * 1.0), gap[None], once(design), design).item()) < 1e-12
    assert abs(partial_rank(proxy[None], gap[None], once(design), design).item()) < 0.2


def test_replicates_and_weights() -> None:
    design, measures, gap = small(ties=False)
    both = partial_rank(measures, np.stack([gap, gap[::-1]]), once(design), design)
    assert both[:, 1] == pytest.approx(partial_rank(measures, gap[None, ::-1], once(design), design)[:, 0])
    even = np.full((2, design.networks), 3.0)
    assert partial_rank(measures, gap[None], even, design)[:, 1] == pytest.approx(both[:, 0])
    half = np.where(np.arange(design.networks) < 12, 2.0, 0.0)[None]
    assert np.isfinite(partial_rank(measures, gap[None], np.concatenate([half, half]), design)).all()
