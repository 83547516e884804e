"""Checkpoints: the right weights arrive, whatever wrapped them, and no file runs code."""

import os
import pickle
import zipfile
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file, save_model
from torch import Tensor, nn

from heldout.engine.subject.checkpoints import read_checkpoint, with_weights
from heldout.engine.subject.factories import make_network
from heldout.records import Refusal


class Bomb:
    """Runs a command when it is unpickled."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (f"touch '{self.place}'",)


class Tied(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed, self.head = nn.Embedding(5, 3), nn.Linear(3, 5, bias=False)
        self.head.weight = self.embed.weight


def network() -> nn.Module:
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2))


def same(ours: nn.Module, theirs: dict[str, Tensor]) -> bool:
    return all(torch.equal(tensor, theirs[name]) for name, tensor in ours.state_dict().items())


WRAPPED = {
    "bare": lambda state: state,
    "state_dict": lambda state: {"state_dict": state, "epoch": 3},
    "model_state_dict": lambda state: {"model_state_dict": state, "optimizer": {"lr": 0.1}},
    "model": lambda state: {"model": state},
    "parallel": lambda state: {f"module.{name}": tensor for name, tensor in state.items()},
    "compiled": lambda state: {f"_orig_mod.{name}": tensor for name, tensor in state.items()},
    "both": lambda state: {"state_dict": {f"module._orig_mod.{name}": tensor for name, tensor in state.items()}},
}


@pytest.mark.parametrize("ending", ["pt", "pth", "bin"])
@pytest.mark.parametrize("wrapping", WRAPPED)
def test_weights_arrive_from_pickles_of_tensors(tmp_path: Path, wrapping: str, ending: str) -> None:
    trained, fresh = network().state_dict(), network()
    place = tmp_path / f"w.{ending}"
    torch.save(WRAPPED[wrapping](trained), place)
    assert not same(fresh, trained)
    assert same(with_weights(fresh, read_checkpoint(str(place), "weights"), "w", "weights"), trained)


@pytest.mark.parametrize("wrapping", ["bare", "parallel", "compiled"])
def test_weights_arrive_from_safetensors(tmp_path: Path, wrapping: str) -> None:
    trained = network().state_dict()
    save_file(WRAPPED[wrapping](trained), tmp_path / "w.safetensors")
    assert same(with_weights(network(), read_checkpoint(str(tmp_path / "w.safetensors"), "weights"), "w", "w"), trained)


def test_a_network_whose_own_names_begin_so_is_left_alone(tmp_path: Path) -> None:
    ours = nn.ModuleDict({"module": nn.Linear(2, 2), "other": nn.Linear(2, 2)})
    save_file(ours.state_dict(), tmp_path / "w.safetensors")
    assert set(read_checkpoint(str(tmp_path / "w.safetensors"), "weights")) == set(ours.state_dict())


def test_a_tied_weight_may_stand_once(tmp_path: Path) -> None:
    trained, fresh = Tied(), Tied()
    save_model(trained, str(tmp_path / "w.safetensors"))
    tensors = read_checkpoint(str(tmp_path / "w.safetensors"), "weights")
    assert len(tensors) == 1
    with_weights(fresh, tensors, "w", "weights")
    assert torch.equal(fresh.embed.weight, trained.embed.weight)
    assert fresh.head.weight is fresh.embed.weight


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize("legacy", [False, True])
def test_a_pickle_that_runs_code_is_refused_and_does_not_run(tmp_path: Path, nested: bool, legacy: bool) -> None:
    bomb = Bomb(tmp_path / "ran")
    place = tmp_path / "w.pt"
    torch.save({"state_dict": bomb} if nested else bomb, place, _use_new_zipfile_serialization=not legacy)
    with pytest.raises(Refusal, match=r"asks for 'posix.system' when it is loaded, which could run code"):
        read_checkpoint(str(place), "weights")
    assert not (tmp_path / "ran").exists()


def test_a_plain_pickle_is_not_loaded_either(tmp_path: Path) -> None:
    (tmp_path / "w.bin").write_bytes(pickle.dumps(Bomb(tmp_path / "ran")))
    with pytest.raises(Refusal, match="which could run code"):
        read_checkpoint(str(tmp_path / "w.bin"), "weights")
    assert not (tmp_path / "ran").exists()


def test_a_whole_network_is_refused_with_the_way_out(tmp_path: Path) -> None:
    torch.save(network(), tmp_path / "w.pt")
    with pytest.raises(Refusal, match=r"torch.nn.modules.*could run code.*save network.state_dict\(\)"):
        read_checkpoint(str(tmp_path / "w.pt"), "weights")


@pytest.mark.parametrize("ending", ["pt", "safetensors"])
@pytest.mark.parametrize("kept", [0.0, 0.3, 0.9])
def test_damaged_files(tmp_path: Path, ending: str, kept: float) -> None:
    place = tmp_path / f"w.{ending}"
    if ending == "pt":
        torch.save(network().state_dict(), place)
    else:
        save_file(network().state_dict(), place)
    content = place.read_bytes()
    place.write_bytes(content[: int(kept * len(content))])
    with pytest.raises(Refusal, match=r"cannot be read.*expected a whole checkpoint file"):
        read_checkpoint(str(place), "weights")


def test_a_zip_of_something_else(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "w.pt", "w") as archive:
        archive.writestr("notes.txt", "mine")
    with pytest.raises(Refusal, match="cannot be read"):
        read_checkpoint(str(tmp_path / "w.pt"), "weights")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({}, "holds nothing"),
        ([1, 2], "holds a list"),
        ({"weight": torch.zeros(2), "epoch": 3}, "a dict whose 'epoch' is no tensor"),
        (torch.zeros(3), "holds a Tensor"),
        ({"state_dict": {}}, "holds nothing"),
    ],
)
def test_what_is_no_state_dict(tmp_path: Path, content: object, words: str) -> None:
    torch.save(content, tmp_path / "w.pt")
    with pytest.raises(Refusal, match=words):
        read_checkpoint(str(tmp_path / "w.pt"), "weights")


def test_another_architecture_is_named_by_what_differs() -> None:
    wide = nn.Sequential(nn.Linear(3, 9), nn.BatchNorm1d(9), nn.Linear(9, 2)).state_dict()
    with pytest.raises(Refusal, match=r"'0.weight' is \[9, 3\] and not \[4, 3\]") as caught:
        with_weights(network(), wide, "w.pt", "initial")
    assert "initial 'w.pt' is of another architecture" in str(caught.value)
    assert "and 4 more" in str(caught.value)  # seven of the nine tensors have the width in their shape
    other = {"head.weight": torch.zeros(1), **network().state_dict()}
    del other["2.bias"]
    with pytest.raises(Refusal, match=r"it lacks '2.bias'; it has 'head.weight'"):
        with_weights(network(), other, "w.pt", "weights")


def test_a_factory_takes_its_arguments() -> None:
    assert make_network("torch.nn:Linear", {"in_features": 3, "out_features": 5}).weight.shape == (5, 3)
    with pytest.raises(Refusal, match="failed when it was called with wide=3"):
        make_network("torch.nn:Linear", {"wide": 3})
    with pytest.raises(Refusal, match=r"gave a OrderedDict; expected an nn\.Module"):
        make_network("collections:OrderedDict")
