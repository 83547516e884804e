"""Ghost batch norm: statistics of small parts of a large batch."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from heldout.catalog import intervention
from heldout.engine.training import Intervention
from heldout.records import Refusal


@dataclass(frozen=True)
class GhostBatchNorm(Intervention):
    """The network of :func:`ghost_batch_norm`."""

    size: int

    def network(self, template: nn.Module) -> nn.Module:
        """The network with each batch norm computing its statistics over ghost batches; names and shapes are the same."""
        for module in template.modules():
            if isinstance(module, nn.modules.batchnorm._BatchNorm):
                kind = type(module)
                module.__class__ = type(f"Ghost{kind.__name__}", (_Ghost, kind), {"ghost_size": self.size})
        return template


class _Ghost(nn.modules.batchnorm._BatchNorm):
    ghost_size: int

    def forward(self, input: Tensor) -> Tensor:
        if not self.training or len(input) <= self.ghost_size:
            return super().forward(input)
        if len(input) % self.ghost_size:
            raise Refusal(
                given=f"batch_size was {len(input)} with ghost batches of size {self.ghost_size}",
                expected="a multiple of the ghost batches' size",
                do=f"pass batch_size={len(input) // self.ghost_size * self.ghost_size}, or another size",
            )
        parts = input.reshape(-1, self.ghost_size, *input.shape[1:])
        axes = [1, *range(3, parts.ndim)]
        mean, variance = parts.mean(axes, keepdim=True), parts.var(axes, unbiased=False, keepdim=True)
        normalised = ((parts - mean) / torch.sqrt(variance + self.eps)).reshape(input.shape)
        count = parts.numel() // (parts.shape[0] * parts.shape[2])
        momentum = 0.1 if self.momentum is None else self.momentum
        if self.running_mean is not None and self.running_var is not None:
            # each ghost batch updates the running statistics once, in turn (Hoffer et al. 2017, algorithm 1)
            weights = momentum * (1 - momentum) ** torch.arange(
                len(parts) - 1, -1, -1, device=input.device, dtype=input.dtype
            )
            keep = (1 - momentum) ** len(parts)
            means, variances = mean.reshape(len(parts), -1), variance.reshape(len(parts), -1) * count / (count - 1)
            self.running_mean.mul_(keep).add_((weights[:, None] * means).sum(0))
            self.running_var.mul_(keep).add_((weights[:, None] * variances).sum(0))
        if not self.affine:
            return normalised
        shape = (1, -1, *[1] * (input.ndim - 2))
        return normalised * self.weight.view(shape) + self.bias.view(shape)


@intervention(source="Hoffer, Hubara and Soudry 2017, algorithm 1")
def ghost_batch_norm(*, size: int = 32) -> Intervention:
    """Batch norm over ghost batches of a fixed size, whatever the size of the batch.

    Args:
        size: Examples of a ghost batch; the batch size must be a multiple of it, or not above it.

    Returns:
        The intervention.

    Raises:
        Refusal: If the size is below 2.

    Example:
        >>> layer = ghost_batch_norm(size=2).network(nn.BatchNorm1d(1))
        >>> layer.train()(torch.tensor([[0.0], [2.0], [10.0], [30.0]])).round().flatten().tolist()
        [-1.0, 1.0, -1.0, 1.0]
    """
    if not isinstance(size, int) or size < 2:
        raise Refusal(given=f"size was {size!r}", expected="at least 2 examples", do="pass size=32")
    return GhostBatchNorm(size)
