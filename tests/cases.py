"""The table of networks x data that every quantity is tried on: small, trained a little, the same on every run.

Each function gives a cached :class:`Case`; ``seed`` changes the initialisation only, so that ``mlp(seed=0)``, ``mlp(seed=1)``,
... are members of one population on one set of data. Nobody may change what a case holds.
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
from tests import architectures
from tests.architectures import CLASSES
from torch import Tensor, nn

from heldout.engine.subject import Subject
from heldout.engine.subject.losses import NAMED

Pair = tuple[Any, Tensor]


@dataclass(frozen=True, slots=True)
class Case:
    """A trained network with its data.

    Attributes:
        name: Of the function that makes it.
        network: Trained, in evaluation mode.
        initial: The same before training.
        train: ``(x, y)``.
        test: ``(x, y)`` of the same distribution.
        loss: As heldout names it.
        history: Its training losses before every step; gradient noise that is made up.
    """

    name: str
    network: nn.Module
    initial: nn.Module
    train: Pair
    test: Pair
    loss: str = "cross-entropy"
    history: tuple[float, ...] = ()

    def subject(self, **changes: Any) -> Subject:
        """The subject of an audit, with everything that is known unless changed."""
        given = {"network": self.network, "train": self.train, "test": self.test, "loss": self.loss}
        history = None if "network" in changes else history_of([self])
        return Subject(**{**given, "initial": self.initial, "history": history, **changes})


def history_of(cases: "list[Case]") -> dict[str, Any]:
    """The training histories of cases, one row a member and step."""
    steps = len(cases[0].history)
    losses = torch.tensor([case.history for case in cases], dtype=torch.float64).flatten()
    step = torch.arange(steps).repeat(len(cases))
    return {
        "member": torch.arange(len(cases)).repeat_interleave(steps), "step": step, "epoch": step / 2, "train-loss": losses,
        "gradient-noise": 2 * losses,
    }  # fmt: skip


def together(cases: list[Case], **changes: Any) -> Subject:
    """Cases of one architecture and one set of data as one population."""
    networks, initial = [case.network for case in cases], [case.initial for case in cases]
    return cases[0].subject(**{"network": networks, "initial": initial, "history": history_of(cases), **changes})


@cache
def mlp(seed: int = 0) -> Case:
    """ReLU MLP on vectors ``[N, 8]``."""
    return _trained("mlp", architectures.mlp, *_clusters((8,), noise=2.0), seed=seed)


@cache
def cnn(seed: int = 0) -> Case:
    """Two convolutions with batch norm on images ``[N, 2, 6, 6]``."""
    return _trained("cnn", architectures.cnn, *_clusters((2, 6, 6), noise=3.0), seed=seed)


@cache
def transformer(seed: int = 0) -> Case:
    """Encoder layer on sequences of vectors ``[N, 5, 4]``."""
    return _trained("transformer", architectures.Transformer, *_clusters((5, 4), noise=1.5), seed=seed)


@cache
def token_transformer(seed: int = 0) -> Case:
    """Encoder layer on ``{"tokens": [N, 6] int64, "weights": [N, 6]}``, keyword arguments of its forward."""
    return _trained("token_transformer", architectures.TokenTransformer, *_sentences(), seed=seed)


@cache
def lstm(seed: int = 0) -> Case:
    """LSTM on sequences of vectors ``[N, 5, 4]``."""
    return _trained("lstm", architectures.Recurrent, *_clusters((5, 4), noise=1.2), seed=seed)


@cache
def residual(seed: int = 0) -> Case:
    """Residual network with batch norms on vectors ``[N, 8]``; one norm folds, one (pre-activation) does not."""
    return _trained("residual", architectures.Residual, *_clusters((8,), noise=2.0), seed=seed)


@cache
def tied(seed: int = 0) -> Case:
    """Network with a tied weight on vectors ``[N, 8]``."""
    return _trained("tied", architectures.Tied, *_clusters((8,), noise=2.0), seed=seed)


@cache
def linear(seed: int = 0) -> Case:
    """Softmax regression on vectors ``[N, 8]``."""
    return _trained("linear", lambda: nn.Linear(8, CLASSES), *_clusters((8,), noise=2.0), seed=seed)


@cache
def regression(seed: int = 0) -> Case:
    """MLP with two outputs under squared error on vectors ``[N, 8]``; its train error is a loss, below 0.1."""
    (x, _), (x_test, _) = _clusters((8,), noise=2.0)
    targets = [torch.stack([torch.sin(x[:, 0]), torch.tanh(x[:, 1])], dim=1) for x in (x, x_test)]
    make = lambda: nn.Sequential(nn.Linear(8, 16), nn.Tanh(), nn.Linear(16, 2))  # noqa: E731
    return _trained("regression", make, (x, targets[0]), (x_test, targets[1]), seed=seed, loss="squared-error")


@cache
def generalizer(seed: int = 0) -> Case:
    """A wide MLP that fits the true labels of :func:`memorizer`'s inputs."""
    return _trained("generalizer", architectures.wide, *_clusters((8,), noise=2.0), seed=seed, steps=300)


@cache
def memorizer(seed: int = 0) -> Case:
    """The same network fitted to random labels of the same inputs; its test error is that of guessing."""
    (x, y), test = _clusters((8,), noise=2.0)
    labels = torch.randint(CLASSES, y.shape, generator=torch.Generator().manual_seed(7))
    return _trained("memorizer", architectures.wide, (x, labels), test, seed=seed, steps=300)


ALL: dict[str, Callable[..., Case]] = {
    case.__name__: case for case in (mlp, cnn, transformer, token_transformer, lstm, residual, tied, linear)
}


def _clusters(shape: tuple[int, ...], noise: float) -> tuple[Pair, Pair]:
    """Three clouds around random centres; they overlap a little, so that fitting and generalizing differ."""
    generator = torch.Generator().manual_seed(1)
    centres = 1.2 * torch.randn(CLASSES, *shape, generator=generator)

    def draw(count: int) -> Pair:
        y = torch.arange(count) % CLASSES
        return centres[y] + noise * torch.randn(count, *shape, generator=generator), y

    return draw(60), draw(90)


def _sentences() -> tuple[Pair, Pair]:
    """Three sentences of six words out of eleven, a third of the words replaced."""
    generator = torch.Generator().manual_seed(2)
    pattern = torch.randint(11, (CLASSES, 6), generator=generator)

    def draw(count: int) -> Pair:
        y = torch.arange(count) % CLASSES
        wrong = torch.rand(count, 6, generator=generator) < 1 / 3
        tokens = torch.where(wrong, torch.randint(11, (count, 6), generator=generator), pattern[y])
        return {"tokens": tokens, "weights": 0.5 + torch.rand(count, 6, generator=generator)}, y

    return draw(60), draw(90)


def _trained(
    name: str,
    make: Callable[[], nn.Module],
    train: Pair,
    test: Pair,
    *,
    seed: int,
    steps: int = 50,
    loss: str = "cross-entropy",
) -> Case:
    with torch.random.fork_rng(devices=[]), torch.enable_grad():
        torch.manual_seed(1000 + seed)
        network = make()
        initial = copy.deepcopy(network).eval()
        optimizer = torch.optim.Adam(network.parameters(), lr=0.02)
        x, y = train
        network.train()
        history = []
        for _ in range(steps):
            optimizer.zero_grad()
            outputs = network(**x) if isinstance(x, dict) else network(x)
            mean = NAMED[loss].per_example(outputs, y).mean()
            mean.backward()  # type: ignore[no-untyped-call]
            history.append(mean.item())
            optimizer.step()
        optimizer.zero_grad()
    return Case(name, network.eval(), initial, train, test, loss, tuple(history))
