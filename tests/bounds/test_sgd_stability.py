"""SGD's stability as a correlate: formula, recipes it is not about."""

import numpy as np
import pytest
import torch
from tests import cases

import heldout
from heldout.bounds.sgd_stability import sgd_stability
from heldout.engine.training import Recipe
from heldout.records import Status


def test_by_hand_for_two_networks() -> None:
    norms = torch.tensor([[0.1, 2.0], [0.5, 0.2]])
    said = sgd_stability(norms, torch.tensor([[0.0, 1.0], [0.0, 0.0]]), np.array([5.0, 10.0]), log_delta=-3.0)
    assert said.value == pytest.approx([0.5 + 2 * 4 / 2 * 5, 2 * 0.25 / 2 * 10])
    assert said.terms["largest gradient"] == pytest.approx([2.0, 0.5])


def test_a_real_network_with_sgd_and_none_with_adam() -> None:
    subject = cases.together([cases.mlp(0), cases.mlp(1)])
    found = heldout.certify(subject, families=["stability"], recipe=Recipe(lr=0.05, batch_size=20, steps=30))
    assert found["sgd-stability"][0].status is Status.CORRELATE
    assert found["sgd-stability"][1].terms["sum of step sizes"] == pytest.approx(1.5)
    adam = Recipe(optimizer="adam", lr=1e-2, batch_size=20, steps=30)
    absent = heldout.certify(subject, families=["stability"], recipe=adam).absent
    assert "about SGD" in absent["sgd-stability"]
