"""The estimate where the norm counts, where the width does, and after a change of the logits' scale."""

import pytest
import torch
from tests import cases

from heldout.catalog import find
from heldout.engine.evidence.output_layer import OutputLayer
from heldout.engine.evidence.reading_units import read_measure
from heldout.engine.evidence.resolving import Evidence
from heldout.measures.output_layer_vc import output_layer_vc, output_layer_vc_over_margin
from heldout.records import Status

YES = torch.tensor(True)


def test_the_widest_pair_of_classes_counts() -> None:
    weights = torch.tensor([[0.0, 0, 0], [1.0, 0, 0], [0, 1.0, 0]], dtype=torch.float64)
    layer = OutputLayer(weights, torch.tensor(0.5), YES)
    assert output_layer_vc(layer).value.item() == pytest.approx(0.5 * 2 + 1)
    assert output_layer_vc_over_margin(layer, torch.tensor(0.8)).value.item() == pytest.approx(0.5 * 2 / 0.64 + 1)


def test_it_is_no_more_than_the_width_and_one() -> None:
    layer = OutputLayer(torch.tensor([[0.0, 0], [9.0, 0]]), torch.tensor(4.0), YES)
    assert output_layer_vc(layer).value.item() == 3.0


def test_a_margin_that_is_not_positive_and_a_ball_that_did_not_settle_give_nothing() -> None:
    layer = OutputLayer(torch.eye(2), torch.tensor(1.0), YES)
    assert output_layer_vc_over_margin(layer, torch.tensor(-0.1)).value.isnan()
    assert not output_layer_vc(layer._replace(settled=torch.tensor(False))).converged


def test_memorising_takes_a_larger_norm_at_the_margin() -> None:
    values = [
        read_measure(find("output-layer-vc-over-margin"), Evidence(c().subject())).value[0]
        for c in (cases.generalizer, cases.memorizer)
    ]
    assert values[0] < values[1]


def test_a_network_without_hidden_layer_has_none() -> None:
    reading = read_measure(find("output-layer-vc"), Evidence(cases.linear().subject()))
    assert reading.statuses == (Status.NOT_APPLICABLE,)
