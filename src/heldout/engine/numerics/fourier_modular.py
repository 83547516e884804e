"""Fourier analysis of networks that add modulo p: participation of frequencies, and losses by what a network learnt."""

import torch
from torch import Tensor


def participation(rows: Tensor) -> Tensor:
    """Inverse participation ratio of every row over frequencies: 1 for one frequency, 2 / (number of them) for noise.

    ``IPR = sum_k |F_k|^4 / (sum_k |F_k|^2)^2`` with F the real discrete Fourier transform, frequency 0 among them (Doshi et
    al. 2024, equation 4, with r = 2).

    Args:
        rows: ``[..., p]``.

    Returns:
        ``[...]``, float64; NaN where a row is all zero.

    Example:
        >>> wave = torch.cos(2 * torch.pi * 3 * torch.arange(11, dtype=torch.float64) / 11)
        >>> round(participation(wave).item(), 9)
        1.0
    """
    power = torch.fft.rfft(rows.double(), dim=-1).abs().square()
    return power.square().sum(-1) / power.sum(-1).square()


def neuron_participation(into: Tensor, out_of: Tensor) -> Tensor:
    """Mean participation ratio of a hidden unit's three vectors: the two halves of its inputs and its outputs.

    Args:
        into: ``[..., H, 2 p]``.
        out_of: ``[..., p, H]``.

    Returns:
        ``[..., H]``; a vector that is all zero counts as 0.
    """
    halves = into.reshape(*into.shape[:-1], 2, -1)
    three = torch.cat([halves, out_of.mT.unsqueeze(-2)], dim=-2)
    return participation(three).nan_to_num(0.0).mean(-1)


def sum_waves(modulus: int, frequencies: Tensor) -> Tensor:
    """An orthonormal basis of the functions of a + b with given frequencies, for every pair (a, b) and output c.

    The logits that a network of modular addition learns are ``cos(2 pi k (a + b - c) / p)``: along the axis of the sums,
    waves of frequency k.

    Args:
        modulus: p, odd.
        frequencies: ``[K]``, from 1 to (p - 1) / 2.

    Returns:
        ``[2 K, p]``: cosines and sines over the sum s, of length 1.
    """
    angles = 2 * torch.pi * frequencies.double()[:, None] * torch.arange(modulus, dtype=torch.float64) / modulus
    return torch.cat([angles.cos(), angles.sin()]) * (2 / modulus) ** 0.5


def by_sum(grid: Tensor) -> Tensor:
    """Mean over the pairs of every sum: ``[..., p, p, C]`` over (a, b) becomes ``[..., p, C]`` over (a + b) mod p.

    Args:
        grid: Logits of all pairs.

    Returns:
        The part of them that depends on the sum alone.
    """
    p = grid.shape[-2]
    a = torch.arange(p, device=grid.device)
    rows = grid[..., a[None, :], (a[:, None] - a[None, :]) % p, :]  # [..., s, a, C]
    return rows.mean(-2)


def key_frequencies(grid: Tensor, count: int) -> Tensor:
    """The frequencies that carry most of the logits, strongest first.

    Args:
        grid: Logits of all pairs, ``[..., p, p, p]``.
        count: How many, or all where there are fewer.

    Returns:
        ``[..., count]``, from 1 to (p - 1) / 2.
    """
    power = torch.fft.rfft(by_sum(grid.double()), dim=-2).abs().square().sum(-1)
    return power[..., 1:].topk(min(count, power.shape[-1] - 1), dim=-1).indices + 1


def sum_part(grid: Tensor, frequencies: Tensor) -> Tensor:
    """The part of the logits that is a wave of one of the frequencies in a + b.

    Args:
        grid: Logits of all pairs, ``[p, p, C]``.
        frequencies: ``[K]``.

    Returns:
        ``[p, p, C]``, float64.
    """
    p = grid.shape[0]
    waves = sum_waves(p, frequencies)
    smooth = waves.T @ (waves @ by_sum(grid.double()))  # [s, C]
    a = torch.arange(p)
    return smooth[(a[:, None] + a[None, :]) % p]


def restricted_and_excluded(grid: Tensor, train: Tensor, frequencies: Tensor) -> tuple[Tensor, Tensor]:
    """Nanda's progress measures of modular addition, in nats.

    Args:
        grid: Logits of all pairs, ``[p, p, p]`` over a, b and c.
        train: Which pairs are training data, ``[p, p]`` of booleans.
        frequencies: The key frequencies ``[K]``.

    Returns:
        Restricted loss: mean cross-entropy over all pairs of the logits' key-frequency waves in a + b alone (their mean over
        pairs kept). Excluded loss: mean cross-entropy over the training pairs of the logits without those waves.
    """
    p = grid.shape[0]
    a = torch.arange(p)
    labels = ((a[:, None] + a[None, :]) % p).unsqueeze(-1)
    part = sum_part(grid, frequencies)
    kept = part + grid.double().mean((0, 1))
    restricted = -kept.log_softmax(-1).gather(-1, labels).squeeze(-1).mean()
    without = -(grid.double() - part).log_softmax(-1).gather(-1, labels).squeeze(-1)
    return restricted, (without * train).sum() / train.sum()


def powers_of_a_root(modulus: int) -> Tensor:
    """The residues but 0 in the order of their discrete logarithms: g^0, g^1, ... of the smallest primitive root g.

    In this order multiplication is addition modulo p - 1, so that its waves are ordinary waves.

    Args:
        modulus: A prime p.

    Returns:
        ``[p - 1]``.

    Example:
        >>> powers_of_a_root(7).tolist()
        [1, 3, 2, 6, 4, 5]
    """
    for root in range(1, modulus):
        powers = [pow(root, exponent, modulus) for exponent in range(modulus - 1)]
        if len(set(powers)) == modulus - 1:
            break
    return torch.tensor(powers)
