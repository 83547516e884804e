"""Randomness by counting: numbers that depend only on a key and a place, so that no cut of the work can change them.

SplitMix64 (Steele, Lea and Flood 2014) applied to key + place. It vectorises over members, works under ``vmap`` and inside a
compiled step, and gives the same bits on every device.
"""

from math import pi

import numpy as np
import torch
from torch import Tensor

_GOLDEN = -7046029254386353131  # 0x9E3779B97F4A7C15 as a signed number
_FIRST, _SECOND = -4658895280553007687, -7723592293110705685  # 0xBF58476D1CE4E5B9, 0x94D049BB133111EB


def keys(seed: int, members: Tensor, step: int | Tensor) -> Tensor:
    """The keys of some members at one step, or at several.

    Args:
        seed: Of the training.
        members: Their numbers ``[m]``, int64.
        step: From 0; or several, ``[T, 1]``.

    Returns:
        ``[m]`` or ``[T, m]``, int64.
    """
    return mixed(mixed(mixed(torch.full_like(members, seed)) + members) + step)


def mixed(number: Tensor) -> Tensor:
    """SplitMix64's next output for a state.

    Args:
        number: int64 of any shape.

    Returns:
        int64, each bit depending on every bit.
    """
    number = number + _GOLDEN
    number = (number ^ _shifted(number, 30)) * _FIRST
    number = (number ^ _shifted(number, 27)) * _SECOND
    return number ^ _shifted(number, 31)


def uniform(key: Tensor, shape: tuple[int, ...], purpose: int) -> Tensor:
    """Numbers in [0, 1), float32, with 24 random bits.

    Args:
        key: One whole number (0-d), or one a row under ``vmap``.
        shape: Of the numbers.
        purpose: Another stream for each purpose, such as the place of a dropout layer.

    Returns:
        float32 of that shape.
    """
    places = torch.arange(int(np.prod(shape, dtype=np.int64)), device=key.device).view(shape)
    bits = mixed(mixed(key + purpose) + places)
    return _shifted(bits, 40).to(torch.float32) * 2.0**-24


def normal(key: Tensor, shape: tuple[int, ...], purpose: int) -> Tensor:
    """Standard normal numbers, float32 (Box and Muller).

    Args:
        key: As in :func:`uniform`.
        shape: Of the numbers.
        purpose: As in :func:`uniform`.

    Returns:
        float32 of that shape.
    """
    one, two = (uniform(key, shape, 2 * purpose + place).double() for place in (1, 0))
    # in float64 and then rounded, so that compiled and plain code give the same float32
    return (torch.sqrt(-2 * torch.log1p(-one)) * torch.cos(2 * pi * two)).float()


def _shifted(number: Tensor, bits: int) -> Tensor:
    return (number >> bits) & ((1 << (64 - bits)) - 1)  # int64 shifts in the sign, which is masked away
