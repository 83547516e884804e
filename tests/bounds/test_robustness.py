"""Robustness by partitions: formula and a real subject."""

import math

import numpy as np
import pytest
from tests import cases

import heldout
from heldout.bounds.robustness import robustness_partition
from heldout.engine.evidence.partitions import Partitioned
from heldout.records import Status


def test_the_formula() -> None:
    held = Partitioned(np.array([1.0, 0.0]), np.array([0.25, 0.0]), np.array([0.1, 0.0]), 30, 500)
    said = robustness_partition(held, log_delta=math.log(0.1))
    price = math.sqrt((60 * math.log(2) + 2 * math.log(10)) / 500)
    assert said.value == pytest.approx([1.1 + price, price])
    assert said.steps == ()


def test_a_real_network_is_an_estimate() -> None:
    found = heldout.certify(cases.mlp().subject(), families=["robustness"])
    assert [one.status for one in found] == [Status.ESTIMATE]
    without = heldout.certify(cases.mlp().subject(test=None), families=["robustness"])
    seen = [one["robustness-partition"][0].terms["mean difference over cells"] for one in (without, found)]
    assert seen[0] <= seen[1]
