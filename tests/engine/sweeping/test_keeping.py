"""What a store keeps of a sweep: the factory's name, data of any form, once."""

from functools import partial
from pathlib import Path

import pytest
import torch
from tests.engine.sweeping import work
from torch import nn

from heldout.engine.store import Store
from heldout.engine.subject import Examples
from heldout.engine.sweeping import keeping
from heldout.engine.sweeping.keeping import keep_sweep, kept_examples, name_of, packed, sweeps_of, unpacked


def test_names_by_which_another_process_can_import() -> None:
    def inside() -> nn.Module:
        return nn.Linear(1, 1)

    assert name_of(work.network) == "tests.engine.sweeping.work:network"
    assert name_of(nn.Linear) == "torch.nn.modules.linear:Linear"
    assert name_of(inside) == name_of(lambda: nn.Linear(1, 1)) == name_of(partial(nn.Linear, 1)) == ""


@pytest.mark.parametrize(
    "examples",
    [
        Examples(torch.randn(3, 2), torch.tensor([0, 1, 0])),
        Examples({"b": torch.ones(3, 1), "a": torch.zeros(3, 2, dtype=torch.bfloat16)}, torch.rand(3)),
        Examples((torch.ones(2, 3, 1), [torch.zeros(2, 3)]), torch.zeros(2, 3), True, True),
    ],
)
def test_examples_come_back_as_they_were(examples: Examples) -> None:
    found = unpacked(packed(examples))
    assert packed(found) == packed(examples)
    assert (found.x_per_member, found.y_per_member) == (examples.x_per_member, examples.y_per_member)
    assert torch.equal(found.y, examples.y)
    assert type(found.x) is type(examples.x)
    leaves, own = (torch.utils._pytree.tree_leaves(one.x) for one in (found, examples))
    assert all(torch.equal(a, b) and a.dtype == b.dtype for a, b in zip(leaves, own, strict=True))


def test_a_sweep_is_written_once_and_large_data_are_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, data = Store(str(tmp_path)), Examples(torch.randn(3, 2), torch.tensor([0, 1, 0]))
    keep_sweep(store, work.network, ("d", data), ("", None), 3, ["a", "b"])
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()}
    keep_sweep(store, work.network, ("d", data), ("", None), 3, ["a", "b"])
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()} == before
    (about,) = sweeps_of(store).values()
    assert (about["buckets"], about["seed"], about["data"], about["test"]) == (["a", "b"], 3, "d", "")
    assert kept_examples(store, "d") is not None
    assert kept_examples(store, "other") is None
    monkeypatch.setattr(keeping, "MOST", 10)
    keep_sweep(store, work.network, ("large", data), ("", None), 3, ["c"])
    assert kept_examples(store, "large") is None
    assert len(sweeps_of(store)) == 2
