"""Networks in float64: the same function, and a sentence where that cannot be."""

import copy

import pytest
import torch
from tests import cases
from torch import nn

from heldout.engine.evidence.doubling import doubled
from heldout.engine.population import Population
from heldout.records import NotApplicable


@pytest.mark.parametrize("name", ["cnn", "token_transformer", "lstm"])
def test_it_is_the_network_converted_by_torch(name: str) -> None:
    case = cases.ALL[name]()
    subject = case.subject()
    wide = doubled(subject.population, subject.probe)
    assert wide.dtype == torch.float64
    x = case.train[0]
    x = {"tokens": x["tokens"], "weights": x["weights"].double()} if isinstance(x, dict) else x.double()
    wanted = copy.deepcopy(case.network).double()
    expected = wanted(**x) if isinstance(x, dict) else wanted(x)
    torch.testing.assert_close(wide(x)[0], expected, rtol=1e-12, atol=1e-12)
    assert subject.population.dtype == torch.float32
    assert wide.tally is subject.population.tally


def test_a_network_in_float64_is_itself() -> None:
    population = Population(nn.Linear(2, 1).double())
    assert doubled(population, torch.zeros(1, 2)) is population


def test_a_network_that_insists_on_float32_is_told_what_to_mend() -> None:
    class Insists(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = nn.Linear(2, 2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.body(x.float())

    with pytest.raises(NotApplicable, match=r"cannot be called in float64.*x\.dtype"):
        doubled(Population(Insists()), torch.zeros(1, 2))
