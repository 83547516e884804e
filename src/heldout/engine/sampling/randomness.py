"""Counted randomness: what a chain draws at a step follows from (seed, chain, step) alone.

Nothing is kept between steps, so a chain's numbers do not depend on how many chains or networks run beside it, on which of them have
died, or on how the work is cut. All members of a population share the streams: a network alone sees what it sees among others.
"""

import hashlib
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from heldout.engine.population.streams import stream

#: Steps whose minibatches are drawn together: between two gradients the processor's caches have forgotten how.
AHEAD = 16


@dataclass(frozen=True, slots=True)
class Streams:
    """The random numbers of K chains.

    Attributes:
        seed: Of the sampling.
        chains: K.

    Example:
        >>> torch.equal(Streams(0, 4).normal("noise", 7, 3)[:2], Streams(0, 2).normal("noise", 7, 3))
        True
    """

    seed: int
    chains: int

    def normal(self, what: str, step: int, size: int, dtype: torch.dtype = torch.float32) -> Tensor:
        """Standard normal numbers.

        Args:
            what: A word for what is drawn.
            step: Its number.
            size: P.
            dtype: ``float32`` or ``float64``.

        Returns:
            ``[K, P]`` on the CPU.
        """
        drawn = torch.empty(self.chains, size, dtype=dtype)
        generator = stream(self.seed, what, step)
        for row in drawn:  # chain after chain, so that a chain's numbers do not depend on how many come after it
            torch.randn(size, generator=generator, out=row)
        return drawn

    def uniform(self, what: str, step: int) -> Tensor:
        """Uniform numbers in (0, 1].

        Args:
            what: A word for what is drawn.
            step: Its number.

        Returns:
            ``[K]``, float64.
        """
        return torch.from_numpy(1.0 - _generator(self.seed, what, step).random(self.chains))

    def batch(self, step: int, size: int, examples: int) -> Tensor:
        """Examples of a minibatch: distinct ones, and independent of all other steps, as the theory of these samplers has them.

        Args:
            step: Its number.
            size: B.
            examples: N, at least B.

        Returns:
            Indices ``[K, B]``, int64.
        """
        return _batches(self.seed, self.chains, step // AHEAD, size, examples)[step % AHEAD]


@lru_cache(maxsize=8)
def _batches(seed: int, chains: int, block: int, size: int, examples: int) -> Tensor:
    drawn = np.empty((AHEAD, chains, size), dtype=np.int64)
    for step, rows in enumerate(drawn, block * AHEAD):
        generator = _generator(seed, "batch", step)
        for row in rows:
            row[:] = generator.choice(examples, size, replace=False, shuffle=False)
    return torch.from_numpy(drawn)


def _generator(seed: int, what: str, step: int) -> np.random.Generator:
    # Philox is counter-based: a key makes a stream at once, and the counter's upper words are free for the step
    key = np.array([_number(seed, what), 0], dtype=np.uint64)
    return np.random.Generator(np.random.Philox(key=key, counter=np.array([0, 0, step, 0], dtype=np.uint64)))


@lru_cache(maxsize=64)
def _number(seed: int, what: str) -> int:
    return int.from_bytes(hashlib.sha256(f"{seed} {what}".encode()).digest()[:8], "big")
