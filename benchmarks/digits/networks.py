"""Networks of nine thousand parameters on scikit-learn's digits. Another environment reads this file too: PyTorch and NumPy only."""

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

EXAMPLES = 1437
GAMMA = 100.0
NBETA = EXAMPLES / math.log(EXAMPLES)


class Attention(nn.Module):
    """One block of attention over the eight rows of a digit."""

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        self.embed, self.place = nn.Linear(8, width), nn.Parameter(0.1 * torch.randn(8, width))
        self.block = nn.TransformerEncoderLayer(width, 4, 2 * width, dropout=0.0, batch_first=True)
        self.read = nn.Linear(width, 10)

    def forward(self, x: Tensor) -> Tensor:
        """Scores ``[N, 10]`` of digits ``[N, 64]``."""
        return self.read(self.block(self.embed(x.unflatten(-1, (8, 8))) + self.place).mean(-2))


NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "perceptron 64-64-64-10": lambda: nn.Sequential(
        nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10)
    ),
    "with batch norm": lambda: nn.Sequential(
        nn.Linear(64, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Linear(64, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Linear(64, 10)
    ),
    "attention, 8 tokens of 8": Attention,
}  # fmt: skip


def digits() -> tuple[Tensor, Tensor]:
    """1437 of the digits."""
    from sklearn.datasets import load_digits

    found = load_digits()
    chosen = torch.from_numpy(np.random.default_rng(0).permutation(len(found.target))[:EXAMPLES])
    return torch.tensor(found.data / 16.0, dtype=torch.float32)[chosen], torch.tensor(found.target)[chosen]


def trained(name: str, steps: int = 1500) -> nn.Module:
    """A network after Adam on batches of 128, in evaluation mode."""
    torch.manual_seed(0)
    network, (x, y) = NETWORKS[name](), digits()
    optimizer, generator = torch.optim.Adam(network.parameters()), torch.Generator().manual_seed(0)
    for _ in range(steps):
        batch = torch.randint(len(x), (128,), generator=generator)
        optimizer.zero_grad()
        nn.functional.cross_entropy(network(x[batch]), y[batch]).backward()
        optimizer.step()
    return network.eval()
