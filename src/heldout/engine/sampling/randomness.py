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
        kind: type[np.float64] | type[np.float32] = np.float64 if dtype == torch.float64 else np.float32
        drawn = np.empty((self.chains, size), dtype=kind)
        for chain in range(self.chains):  # one stream a chain; each fills its row at the speed of one call
            self._generator(what, chain, step).standard_normal(out=drawn[chain], dtype=kind)
        return torch.from_numpy(drawn)

    def uniform(self, what: str, step: int) -> Tensor:
        """Uniform numbers in (0, 1].

        Args:
            what: A word for what is drawn.
            step: Its number.

        Returns:
            ``[K]``, float64.
        """
        drawn = [1.0 - self._generator(what, chain, step).random() for chain in range(self.chains)]
        return torch.tensor(drawn, dtype=torch.float64)

    def batch(self, step: int, size: int, examples: int) -> Tensor:
        """Examples of a minibatch: distinct ones, and independent of all other steps, as the theory of these samplers has them.

        Args:
            step: Its number.
            size: B.
            examples: N, at least B.

        Returns:
            Indices ``[K, B]``, int64.
        """
        rows = [
            self._generator("batch", chain, step).choice(examples, size, replace=False, shuffle=False)
            for chain in range(self.chains)
        ]
        return torch.from_numpy(np.stack(rows))

    def _generator(self, what: str, chain: int, step: int) -> np.random.Generator:
        return _generator(self.seed, what, chain, step)


def _generator(seed: int, what: str, chain: int, step: int) -> np.random.Generator:
    # Philox is counter-based: a key makes a stream at once, and the counter's upper words are free for the step
    key = np.array([_number(seed, what), chain], dtype=np.uint64)
    return np.random.Generator(np.random.Philox(key=key, counter=np.array([0, 0, step, 0], dtype=np.uint64)))


@lru_cache(maxsize=64)
def _number(seed: int, what: str) -> int:
    return int.from_bytes(hashlib.sha256(f"{seed} {what}".encode()).digest()[:8], "big")
