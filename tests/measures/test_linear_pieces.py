"""The mean of counts, with its error."""

import pytest
import torch
from tests import cases

from heldout.catalog import find
from heldout.engine.evidence.reading_units import read_measure
from heldout.engine.evidence.resolving import Evidence
from heldout.measures.linear_pieces import linear_pieces_between_examples


def test_mean_and_standard_error() -> None:
    counts = torch.tensor([3.0, 5.0, 10.0], dtype=torch.float64)
    found = linear_pieces_between_examples(counts)
    assert found.value.item() == 6.0
    assert found.standard_error.item() == pytest.approx(counts.numpy().std(ddof=1) / 3**0.5)
    assert linear_pieces_between_examples(counts[:1]).standard_error.isnan()


def test_wider_networks_have_more_pieces() -> None:
    narrow, wide = (
        read_measure(find("linear-pieces-between-examples"), Evidence(c().subject()))
        for c in (cases.mlp, cases.generalizer)
    )
    assert wide.value[0] > narrow.value[0] + 5 * (wide.standard_error[0] ** 2 + narrow.standard_error[0] ** 2) ** 0.5
