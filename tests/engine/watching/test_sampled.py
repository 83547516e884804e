"""Watched examples: a random few of any form of data, and nothing that training draws from has moved."""

import random
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset

from heldout.engine.subject import Examples
from heldout.engine.watching.minibatches import Minibatches
from heldout.engine.watching.sampled import sampled
from heldout.records import Refusal

X, Y = torch.arange(40.0).unsqueeze(1), torch.arange(40)
ROWS = [{"x": x, "labels": y} for x, y in zip(X, Y, strict=True)]
FORMS = {
    "pair": (X, Y), "arrays": (X.numpy(), Y.numpy()), "examples": Examples(X, Y), "dataset": TensorDataset(X, Y),
    "loader": DataLoader(TensorDataset(X, Y), batch_size=7, shuffle=True), "rows": ROWS,
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_the_same_few_of_any_form(form: str) -> None:
    few = sampled(FORMS[form], "train", 12, 3)
    x = few.examples.x["x"] if isinstance(few.examples.x, dict) else few.examples.x
    assert few.total == 40
    assert len(few.examples) == len(few.first(99).examples) == 12
    assert torch.equal(x.flatten().long(), few.examples.y)
    assert torch.equal(few.examples.y, sampled((X, Y), "train", 12, 3).examples.y)
    assert not torch.equal(few.examples.y, sampled(FORMS[form], "train", 12, 4).examples.y)


def test_they_are_copies() -> None:
    x = X.clone()
    few = sampled((x, Y), "train", 40, 0)
    x.zero_()
    assert few.examples.x.sum() == X.sum()


class Drawing(Dataset):  # type: ignore[type-arg]
    """Draws from every kind of generator there is."""

    def __init__(self) -> None:
        self.parts = [np.random.RandomState(0), {"deep": random.Random(0)}]
        self.torch, self.numpy = torch.Generator().manual_seed(0), np.random.default_rng(0)

    def __len__(self) -> int:
        return 10

    def __getitem__(self, place: int) -> tuple[float, int]:
        return sum(self.draws()), place % 2

    def draws(self) -> list[float]:
        own: Any = self.parts
        return [
            own[0].rand(), own[1]["deep"].random(), torch.rand((), generator=self.torch).item(), self.numpy.random(),
            torch.rand(()).item(), np.random.rand(), random.random(),  # noqa: NPY002
        ]  # fmt: skip


@pytest.mark.parametrize("loader", [False, True])
def test_no_generator_moves(loader: bool) -> None:
    drawn = []
    for watched in (False, True):
        data = Drawing()
        generator = torch.Generator().manual_seed(5)
        for seed in (torch.manual_seed, np.random.seed, random.seed):
            seed(0)
        if watched:
            sampled(DataLoader(data, shuffle=True, generator=generator) if loader else data, "train", 5, 0)
        drawn.append([*data.draws(), torch.rand((), generator=generator).item()])
    assert drawn[0] == drawn[1]


def test_a_stream_is_refused() -> None:
    class Stream(IterableDataset):  # type: ignore[type-arg]
        def __iter__(self) -> Any:
            return iter(())

    with pytest.raises(Refusal, match=r"train was a stream of examples \(Stream\)"):
        sampled(DataLoader(Stream()), "train", 5, 0)


def test_windows_of_losses_grow_with_the_steps() -> None:
    losses = Minibatches()
    for step in range(1, 1001):
        losses.add(step, torch.tensor([float(step), float(step)]))
    rows = losses.rows(0.0)
    assert [row.step for row in rows[:199]] == list(range(1, 200))
    assert rows[199].step == 201  # from 200 on a row stands for two steps
    assert rows[199].value == 200.5
    assert rows[199].standard_error == pytest.approx(0.5)
    assert rows[-1].step <= 1000
    assert losses.rows(0.0) == []
    losses.add(1001, float("nan"))
    assert losses.rows(1.0, last=True)[0].status == "not-finite"
