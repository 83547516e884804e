"""The run is the same to the bit with a watch and without, whatever a watch could disturb."""

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

import heldout

EVERYTHING = float("inf")
ALL_BUT_CHAINS = ("errors", "gradients", "sharpness", "representations", "noise", "pathways", "largest-input-jacobian")
GENERATOR = torch.Generator().manual_seed(0)
X = torch.randn(80, 1, 6, 6, generator=GENERATOR)
Y = (X[:, 0, 0, 0] > 0).long()


class Noisy(Dataset):  # type: ignore[type-arg]
    """Pictures that are augmented at random, by all three global generators and one of its own."""

    def __init__(self) -> None:
        self.own = np.random.default_rng(3)

    def __len__(self) -> int:
        return len(X)

    def __getitem__(self, place: int) -> tuple[torch.Tensor, torch.Tensor]:
        shift = torch.rand(()) + np.random.rand() + random.random() + self.own.random()  # noqa: NPY002
        return X[place] + 0.01 * shift, Y[place]


class Counted(nn.Module):
    """Dropout, batch norm, and a module that counts its calls."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Dropout(0.3), nn.Flatten(), nn.Linear(64, 2)
        )
        self.calls = 0
        self.register_buffer("seen", torch.zeros(()))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.calls += 1
        self.seen += len(x)
        return self.body(x)


def trained(watching: Callable[[nn.Module, Any], Any], steps: int = 24) -> dict[str, Any]:
    """A training with everything that a watch could disturb; what is left of it."""
    torch.manual_seed(1)
    np.random.seed(1)  # noqa: NPY002
    random.seed(1)
    network, data = Counted(), Noisy()
    hooked: list[int] = []
    network.body[0].register_forward_hook(lambda *_: hooked.append(1))
    network.body[5].bias.requires_grad_(False)
    network.body[1].eval()  # one module's mode differs from the others'
    network.body[3].train()
    optimizer = torch.optim.SGD([p for p in network.parameters() if p.requires_grad], lr=0.05, momentum=0.9)
    loader = DataLoader(data, batch_size=16, shuffle=True)
    watch = watching(network, loader)
    taken = 0
    while taken < steps:
        for x, y in loader:
            optimizer.zero_grad()
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=taken % 2 == 1):
                loss = nn.functional.cross_entropy(network(x), y)
                loss.backward()
                optimizer.step()
                watch.step(loss)
            taken += 1
            assert torch.is_grad_enabled()
            assert not torch.is_autocast_enabled("cpu")
    left: dict[str, Any] = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    left |= {f"grad of {name}": p.grad for name, p in network.named_parameters()}
    left |= {f"momentum {i}": state["momentum_buffer"] for i, state in enumerate(optimizer.state.values())}
    left |= {
        "modes": [module.training for module in network.modules()], "frozen": [p.requires_grad for p in network.parameters()],
        "calls": network.calls, "hooks": len(hooked), "own": data.own.random(), "torch": torch.get_rng_state(),
        "numpy": np.random.rand(), "python": random.random(), "hooked": len(network.body[0]._forward_hooks),  # noqa: NPY002
        "settings": (torch.are_deterministic_algorithms_enabled(), torch.get_num_threads(), torch.get_default_dtype()),
    }  # fmt: skip
    return left


class Nothing:
    """No watch."""

    def step(self, loss: object) -> None:
        pass


def test_the_run_is_the_same_to_the_bit() -> None:
    watches = []

    def watching(network: nn.Module, loader: Any) -> Any:
        watches.append(heldout.Watch(network, loader, (X, Y), every=5, budget=EVERYTHING, record=ALL_BUT_CHAINS))
        return watches[0]

    with_it, without = trained(watching), trained(lambda *_: Nothing())
    assert watches[0].faults == ()
    assert len(watches[0].table) > 60
    assert with_it.keys() == without.keys()
    different = [name for name, value in without.items() if not equal(value, with_it[name])]
    assert different == []


def equal(one: Any, other: Any) -> bool:
    """To the bit."""
    return torch.equal(one, other) if isinstance(one, torch.Tensor) else bool(one == other)
