"""Recipes: what they take, and that everything else is refused by name."""

from typing import Any

import numpy as np
import pytest
import torch

from heldout.catalog import find
from heldout.engine.training import Recipe
from heldout.records import Refusal


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("lr", "0.1"), ("lr", float("nan")), ("lr", -1), ("lr", 1j), ("momentum", 1.5), ("rho", (0.1, 0.2)), ("factor", -1),
        ("steps", (10, 20)), ("steps", 10.5), ("steps", -1), ("check_every", 2.5), ("patience", 0), ("warmup", 0.5),
        ("batch_size", True), ("batch_size", 0), ("subset", 1.5), ("order", 1.5), ("order", "x"), ("order", (1, 0.5)),
        ("stop", 5), ("stop", ("loss", "nope")), ("stop", ()), ("betas", 0.9), ("betas", (0.9, 1.5)), ("milestones", 5),
        ("milestones", "x"), ("dropout", "x"), ("dropout", 1), ("interventions", ("rm3",)), ("optimizer", ["sgd"]),
        ("schedule", "cosin"), ("batch_norm", None), ("interventions", find("rm3").function()), ("epsilon", "small"),
    ],
)  # fmt: skip
def test_a_field_out_of_its_range_is_refused_by_name(field: str, value: Any) -> None:
    with pytest.raises(Refusal, match=f"^{field} was"):
        Recipe(**{field: value})


def test_numbers_of_any_library_are_plain_numbers() -> None:
    for value in ([0.5, 0.25], np.array([0.5, 0.25]), torch.tensor([0.5, 0.25]), [np.float32(0.5), torch.tensor(0.25)]):
        assert Recipe(lr=value).lr == (0.5, 0.25)
    assert type(Recipe(lr=np.float32(0.5)).lr) is float
    assert Recipe(steps=np.int64(7), order=np.arange(2)).order == (0, 1)
    assert Recipe(betas=[0.8, 0.95]).betas == (0.8, 0.95)  # type: ignore[arg-type]


def test_an_unknown_field_is_refused_with_those_that_exist() -> None:
    with pytest.raises(Refusal, match=r"learning_rate.*lr"):
        Recipe().but(learning_rate=0.1)
