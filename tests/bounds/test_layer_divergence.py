"""The funnel: the least amplified distance, the ramp, Pinsker's root, and real networks."""

import math

import numpy as np
import pytest
import torch
from tests import cases

import heldout
from heldout.bounds.layer_divergence import generalization_funnel, layer_kullback_leibler
from heldout.engine.evidence.layer_laws import LayerDivergences
from heldout.engine.training import Recipe
from heldout.records import Status

ROW = np.array([[0.5, 0.1, 0.4], [0.5, 0.5, 0.1]])
KNOWN = LayerDivergences(
    ("input", "a", "output"), ROW, ROW / 2, ROW / 9, 2 * ROW, ROW / 4, ROW / 8, np.array([[9.0, 3.0, 1.0]] * 2), (5, 5)
)


def test_the_funnel_by_hand() -> None:
    margins = torch.tensor([[4.0, 1.0, -1.0, 8.0], [2.0, 2.0, 2.0, 2.0]])
    said = generalization_funnel(KNOWN, (), margins, torch.tensor([4.0, 2.0]), (margins <= 0).double(), log_delta=-3.0)
    assert said.terms["funnel"].tolist() == [1.0, 2.0]
    assert said.terms["gap"] == pytest.approx([math.sqrt(2) / 4 * 0.3, math.sqrt(2) / 2 * 0.1])
    assert said.terms["gap by chance"] == pytest.approx(said.terms["gap"] / 2)
    assert said.terms["ramp loss"] == pytest.approx([(0 + 0.75 + 1 + 0) / 4, 0.0])
    assert said.value == pytest.approx(said.terms["ramp loss"] + said.terms["gap"])
    assert said.empirical_risk.tolist() == [0.25, 0.0]
    assert said.steps == ()


def test_a_margin_below_zero_says_nothing() -> None:
    said = generalization_funnel(
        KNOWN, (), -torch.ones(2, 4), torch.tensor([-1.0, 0.0]), torch.ones(2, 4), log_delta=-3.0
    )
    assert said.value.tolist() == [np.inf, np.inf]
    assert all(np.isfinite(values).all() for values in said.terms.values())


def test_the_outputs_divergence_less_that_of_chance() -> None:
    said = layer_kullback_leibler(KNOWN, torch.zeros(2, 4), log_delta=-3.0)
    assert said.value == pytest.approx(np.sqrt((2 - 0.25) * np.array([0.4, 0.1]) / 2))
    less = LayerDivergences(("input", "a", "output"), ROW, ROW, ROW, ROW, ROW, ROW, ROW, (5, 5))
    assert layer_kullback_leibler(less, torch.ones(2, 4), log_delta=-3.0).value.tolist() == [1.0, 1.0]


def test_real_networks_are_correlates_and_others_than_chains_have_no_funnel() -> None:
    recipe = Recipe(optimizer="adam", lr=1e-2, batch_size=None, steps=20)
    found = heldout.certify(cases.mlp().subject(), families="information", recipe=recipe, seed=2)
    for name in ("generalization-funnel", "layer-kullback-leibler", "information-bottleneck"):
        for one in found[name]:
            assert (one.status, one.delta, one.ledger) == (Status.CORRELATE, 0, ())
            assert "no probability" in one.statement
    other = heldout.certify(cases.residual().subject(), families="information", recipe=recipe, seed=2)
    assert "Residual" in other.absent["generalization-funnel"]
