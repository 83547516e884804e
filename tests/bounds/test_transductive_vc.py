"""The transductive bound of Vapnik: exact tails, a hidden layer that shatters the graph, coverage."""

import math

import numpy as np
import pytest
import torch
from scipy.stats import hypergeom

from heldout.bounds.transductive_vc import counted, transductive_vc
from heldout.engine.evidence.graphs import LabelledGraph
from heldout.engine.numerics.transductive import log_graph_labellings, width


def graph(m: int, u: int, parameters: tuple[int, ...], units: tuple[int, ...], classes: int = 2) -> LabelledGraph:
    return LabelledGraph(m, u, np.ones(1), np.ones(1), parameters, units, classes)


def test_a_line_is_the_exact_tail_paid_for_every_labelling() -> None:
    m, u, wrong = 400, 600, 30
    said = transductive_vc((torch.arange(m) < wrong).double()[None], graph(m, u, (3,), ()), log_delta=math.log(0.05))
    nats = log_graph_labellings(m + u, (3,), (), 2)
    possible = [k for k in range(u + 1) if hypergeom.logcdf(wrong, m + u, wrong + k, m) >= math.log(0.05) - nats]
    assert said.value[0] == pytest.approx(max(possible) / u)
    assert said.value[0] < wrong / m + float(
        width(m, u, nats - math.log(0.05))
    )  # the exact tail is below its relaxation
    assert said.terms["log of the labellings"][0] == nats
    assert said.empirical_risk[0] == wrong / m


@pytest.mark.parametrize("classes", [2, 3])
def test_a_hidden_layer_may_label_the_graph_anyhow_and_the_value_says_by_how_much(classes: int) -> None:
    said = transductive_vc(torch.zeros(2, 300), graph(300, 300, (128, 16 * classes), (16,), classes), log_delta=-3.0)
    assert said.terms["log of the labellings"] == pytest.approx(said.terms["log of all labellings"])
    assert said.value == pytest.approx(np.full(2, float(width(300, 300, 600 * math.log(classes) + 3.0))), rel=1e-6)
    assert (said.value > 1).all()


def test_covers_and_tightens_with_delta() -> None:
    needs, risks = counted(np.random.default_rng(1), 300)
    loose, tight = (transductive_vc(**needs, log_delta=log_delta).value for log_delta in (-6.0, -1.0))
    assert (risks <= tight).all()
    assert (tight < loose).all()
    assert (loose < 1).all()
