"""The p-value of the tails: mean over layers, its error, and the table."""

import math

import pytest
import torch
from tests import cases
from torch import nn

from heldout.catalog import find, units
from heldout.engine.evidence.reading_units import read_measure, read_profile
from heldout.engine.evidence.resolving import Evidence
from heldout.engine.subject import Subject
from heldout.records import Status


def evidence() -> Evidence:
    networks = []
    for seed in (0, 1):
        torch.manual_seed(seed)
        networks.append(nn.Sequential(nn.Linear(14, 12), nn.ReLU(), nn.Linear(12, 20), nn.ReLU(), nn.Linear(20, 3)))
    return Evidence(Subject(networks, train=(torch.randn(6, 14), torch.arange(6) % 3)))


def test_the_mean_over_layers_and_its_error() -> None:
    source = evidence()
    reading = read_measure(find("tail-p-value"), source)
    checks = list(source["tail_checks"].values())
    for member in (0, 1):
        shares = [check.p_value[member].item() for check in checks]
        assert len(shares) == 2
        assert reading.value[member] == pytest.approx(sum(shares) / 2)
        error = math.sqrt(sum(p * (1 - p) / 100 for p in shares)) / 2
        assert reading.standard_error[member] == pytest.approx(error)


def test_the_table() -> None:
    source = evidence()
    rows = read_profile(units("profile")["tail-fits"], source).rows
    assert [(row["member"], row["layer"]) for row in rows] == [(m, n) for n in ("0.weight", "2.weight") for m in (0, 1)]
    tail, check = source["tails"]["2.weight"], source["tail_checks"]["2.weight"]
    expected = {
        "alpha": tail.alpha, "alpha_standard_error": tail.standard_error, "xmin": tail.start, "tail_size": tail.size,
        "distance": tail.distance, "p_value": check.p_value, "p_value_standard_error": check.p_value_error,
        "alpha_standard_error_with_xmin": check.alpha_error,
    }  # fmt: skip
    for name, stack in expected.items():
        assert [row[name] for row in rows[2:]] == stack.tolist()


def test_without_tails_there_is_nothing_to_check() -> None:
    source = Evidence(cases.cnn().subject())
    assert read_measure(find("tail-p-value"), source).statuses == (Status.UNDEFINED,)
    assert read_profile(units("profile")["tail-fits"], source).rows == ()
