"""The architectures of the table of cases."""

import torch
from torch import Tensor, nn

CLASSES = 3


class Residual(nn.Module):
    """A residual network of two blocks with batch norm."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Linear(8, 12)
        self.first = nn.Sequential(nn.Linear(12, 12), nn.BatchNorm1d(12), nn.ReLU(), nn.Linear(12, 12))
        self.second = nn.Sequential(nn.BatchNorm1d(12), nn.ReLU(), nn.Linear(12, 12))
        self.head = nn.Linear(12, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        h = self.stem(x)
        h = h + self.first(h)
        return self.head(h + self.second(h))


class Stubborn(nn.Module):
    """Says class 0 whatever its weights are: a constant scores beyond what they can."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Linear(3, 2)

    def forward(self, x: Tensor) -> Tensor:
        return torch.tanh(self.body(x)) + torch.tensor([2.0, 0.0])


class Tied(nn.Module):
    """Two layers that share one weight, as autoencoders and language models do."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(8, 8)
        self.second = nn.Linear(8, 8)
        self.second.weight = self.first.weight
        self.head = nn.Linear(8, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(torch.tanh(self.second(torch.tanh(self.first(x)))))


class Recurrent(nn.Module):
    """An LSTM read out at its last step."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.LSTM(4, 8, batch_first=True)
        self.head = nn.Linear(8, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.body(x)[0][:, -1])


class Transformer(nn.Module):
    """One encoder layer over a sequence of vectors, averaged over the sequence."""

    def __init__(self) -> None:
        super().__init__()
        self.enter = nn.Linear(4, 8)
        self.body = nn.TransformerEncoderLayer(8, nhead=2, dim_feedforward=16, dropout=0.0, batch_first=True)
        self.head = nn.Linear(8, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.body(self.enter(x)).mean(1))


class TokenTransformer(nn.Module):
    """One encoder layer over tokens, averaged with the weights that come along: two inputs, given by keyword."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(11, 8)
        self.position = nn.Parameter(0.1 * torch.randn(1, 6, 8))
        self.body = nn.TransformerEncoderLayer(8, nhead=2, dim_feedforward=16, dropout=0.0, batch_first=True)
        self.head = nn.Linear(8, CLASSES)

    def forward(self, tokens: Tensor, weights: Tensor) -> Tensor:
        h = self.body(self.embedding(tokens) + self.position)
        return self.head((h * weights.unsqueeze(-1)).sum(1) / weights.sum(1, keepdim=True))


def mlp() -> nn.Module:
    return nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 12), nn.ReLU(), nn.Linear(12, CLASSES))


def cnn() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(2, 6, 3, padding=1, bias=False),
        nn.BatchNorm2d(6),
        nn.ReLU(),
        nn.Conv2d(6, 8, 3, padding=1),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(2),
        nn.Flatten(),
        nn.Linear(32, CLASSES),
    )


def wide() -> nn.Module:
    return nn.Sequential(nn.Linear(8, 96), nn.ReLU(), nn.Linear(96, CLASSES))
