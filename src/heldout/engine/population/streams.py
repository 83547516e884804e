"""Random streams that derive from what is drawn, never from how the work was cut."""

import hashlib

import torch


def stream(*keys: int | str) -> torch.Generator:
    """A generator for one draw, named by its keys.

    The same keys give the same stream on every machine and under every chunking. Draws are made on the CPU and moved, so
    that a GPU sees the same noise.

    Args:
        keys: Such as ``(seed, "noise", draw, "layers.0.weight")``.

    Returns:
        A CPU generator of its own.

    Example:
        >>> torch.equal(torch.rand(3, generator=stream(0, "a")), torch.rand(3, generator=stream(0, "a")))
        True
        >>> torch.equal(torch.rand(3, generator=stream(0, "a")), torch.rand(3, generator=stream(0, "b")))
        False
    """
    digest = hashlib.sha256("\x1f".join(f"{type(key).__name__}:{key}" for key in keys).encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "big") >> 1)
