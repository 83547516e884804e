"""The two-layer quadratic network of modular arithmetic."""

from torch import Tensor, nn

from heldout.catalog import network


class Square(nn.Module):
    """The square of every entry."""

    def forward(self, x: Tensor) -> Tensor:
        """Square.

        Args:
            x: Any.

        Returns:
            Of the same shape.
        """
        return x.square()


@network(source="Gromov 2023, section 2; Doshi et al. 2024, equation 2")
def quadratic_modular(*, modulus: int = 97, width: int = 500) -> nn.Module:
    """``f(a, b) = W (U [onehot(a), onehot(b)])^2`` without biases, all weights normal with deviation ``0.5 / (2 N)^(1/3)``.

    Args:
        modulus: p; inputs have 2 p entries, outputs p.
        width: N.

    Returns:
        The untrained network.

    Example:
        >>> import torch
        >>> quadratic_modular(modulus=5, width=7)(torch.zeros(3, 10)).shape
        torch.Size([3, 5])
    """
    layers = nn.Linear(2 * modulus, width, bias=False), Square(), nn.Linear(width, modulus, bias=False)
    for layer in (layers[0], layers[2]):
        nn.init.normal_(layer.weight, std=0.5 / (2 * width) ** (1 / 3))
    return nn.Sequential(*layers)
