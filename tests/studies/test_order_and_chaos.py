"""Order and chaos: the networks' scales, statistics of a table made by hand, and the smoke run's verdicts."""

import pandas as pd
import pytest
import torch

import heldout
from heldout.studies import order_and_chaos as study


def test_weights_have_the_scales_that_were_asked_for() -> None:
    torch.manual_seed(0)
    network = study.Deep(64, 200, 4, 10, 1.3, 0.05, False)
    for layer in list(network.layers)[1:-1]:
        assert float(layer.weight.detach().var()) * 200 == pytest.approx(1.69, rel=0.05)
        assert float(layer.bias.detach().std()) == pytest.approx(0.05, rel=0.2)
    assert float(study.Deep(64, 20, 2, 10, 1.0, 0.0, True).layers[0].bias.detach().abs().max()) == 0


def test_statistics_of_a_table_made_by_hand() -> None:
    rows = [
        {"activation": "tanh", "sigma": s, "member": 0, "train_accuracy": a, "growth": g, "chi": c, "signal": 0.0}
        for s, a, g, c in ((0.7, 0.1, 0.5, 0.45), (1.05, 0.9, 0.97, 0.96), (3.0, 0.2, 2.0, 1.9))
    ]
    rows += [
        {"activation": "relu", "sigma": s, "member": 0, "train_accuracy": 0.5, "growth": 1, "chi": 1, "signal": v}
        for s, v in ((1.0, -9.0), (2**0.5, -0.3))
    ]
    table = pd.DataFrame(rows)
    assert study.critical_accuracy(table) == [0.9]
    assert study.ordered_accuracy(table) == [0.1]
    assert study.chaotic_accuracy(table) == [0.2]
    assert study.correlation_slope(table) == pytest.approx([0.1])
    assert study.he_signal(table) == [-0.3]
    assert study.glorot_signal(table) == [-9.0]


def test_the_smoke_run_finds_the_line() -> None:
    verdicts = [claim["verdict"] for claim in heldout.study("order-and-chaos").claims]
    assert verdicts[1] == "reproduced"
    assert verdicts[3] == "reproduced"
