"""Handwritten digits turned, scaled, moved and covered with noise: as many examples of one distribution as anyone needs."""

from math import pi

import torch
from torch import Tensor
from torch.nn import functional

from heldout.catalog import dataset
from heldout.engine.population import stream

Pair = tuple[Tensor, Tensor]


@dataset(source="scikit-learn's digits, under random affine maps as in Simard, Steinkraus and Platt 2003, section 3")
def transformed_digits(
    *,
    train_size: int = 1000,
    test_size: int = 1000,
    turn: float = 15.0,
    scale: float = 0.15,
    shift: float = 1.0,
    noise: float = 0.1,
    seed: int = 0,
) -> tuple[Pair, Pair]:
    r"""Independent draws from one distribution: a digit of the 1,797 at random, an affine map at random, noise.

    .. math:: x = A_{\theta, s, t} \, d_I + \sigma \epsilon, \quad I \sim U\{1..1797\}, \; \theta \sim U(-15°, 15°),
        \; s \sim U(0.85, 1.15), \; t \sim U([-1, 1]^2)

    The distribution is known, so that the risk of a network is known to any precision: that is what it is for. Training and test
    data share digits, as draws from one distribution over 1,797 digits do; no two examples are alike.

    Args:
        train_size: Training examples.
        test_size: Test examples.
        turn: Largest angle, degrees.
        scale: Largest change of size, relative.
        shift: Largest move along each side, pixels.
        noise: Standard deviation of the noise on each pixel, which lies in [0, 1].
        seed: Of everything drawn; of training and test data apart, so that the size of the one does not move the other.

    Returns:
        ``(x, y)`` for training and for test; x is ``[N, 1, 8, 8]``, y ``[N]`` in 0 to 9.

    Example:
        >>> (x, y), (x_test, y_test) = transformed_digits(train_size=60, test_size=40)
        >>> x.shape, y_test.shape
        (torch.Size([60, 1, 8, 8]), torch.Size([40]))
    """
    from sklearn.datasets import load_digits

    data = load_digits()
    images, labels = torch.from_numpy(data.images).float().unsqueeze(1) / 16, torch.from_numpy(data.target).long()

    def drawn(size: int, part: str) -> Pair:
        draw = stream(seed, "transformed digits", part)

        def uniform(most: float, *shape: int) -> Tensor:
            return most * (2 * torch.rand(size, *shape, generator=draw) - 1)

        chosen = torch.randint(len(labels), (size,), generator=draw)
        angle, size_of, move = uniform(turn * pi / 180), 1 + uniform(scale), uniform(shift, 2)
        half = images.shape[-1] / 2  # the sampler's coordinates run from -1 to 1
        cosine, sine = torch.cos(angle) / size_of, torch.sin(angle) / size_of
        map_of = torch.stack([cosine, -sine, move[:, 0] / half, sine, cosine, move[:, 1] / half], 1).reshape(-1, 2, 3)
        grid = functional.affine_grid(map_of, [size, 1, *images.shape[2:]], align_corners=False)
        moved = functional.grid_sample(images[chosen], grid, align_corners=False)
        return moved + noise * torch.randn(moved.shape, generator=draw), labels[chosen]

    return drawn(train_size, "train"), drawn(test_size, "test")
