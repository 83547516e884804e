"""The design of a ledger: which networks differ in what."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Pairs:
    """Unordered pairs of networks.

    Attributes:
        first: Index of the one, ``[P]``.
        second: Index of the other, ``[P]``.
        axis: Hyper-parameter in which the two differ, ``[P]``; -1 where it is none or more than one.
        group: Number of the setting that they share otherwise, ``[P]``; 0 where ``axis`` is -1.
    """

    first: Codes
    second: Codes
    axis: Codes
    group: Codes


@dataclass(frozen=True, eq=False)
class Design:
    """Hyper-parameters of N networks as codes, and the configurations they make.

    Attributes:
        axes: Names of the A hyper-parameters that take more than one value.
        codes: Value of each as a number from 0, in the order of the values, ``[N, A]``.
        configurations: Number of the configuration, ``[N]``: networks of one differ in their seed alone.

    Example:
        >>> design = Design(("width",), np.array([[0], [0], [1]]), np.array([0, 0, 1]))
        >>> len(design.pairs.first), design.one_axis.first.tolist()
        (3, [0, 1])
    """

    axes: tuple[str, ...]
    codes: Codes
    configurations: Codes

    @property
    def networks(self) -> int:
        """N."""
        return len(self.configurations)

    @cached_property
    def levels(self) -> tuple[int, ...]:
        """How many values each hyper-parameter takes."""
        return tuple(int(column.max()) + 1 for column in self.codes.T)

    @cached_property
    def pairs(self) -> Pairs:
        """All of them."""
        first, second = (place.astype(np.int64) for place in np.triu_indices(self.networks, 1))
        none = np.full(len(first), -1)
        return Pairs(first, second, none, np.zeros_like(none))

    @cached_property
    def one_axis(self) -> Pairs:
        """Pairs that differ in exactly one hyper-parameter, found axis by axis among networks that share the others."""
        found: list[tuple[Codes, Codes, Codes, Codes]] = []
        groups = 0
        for axis in range(len(self.axes)):
            others = np.delete(self.codes, axis, axis=1)
            _, shared = np.unique(others, axis=0, return_inverse=True)
            order = np.argsort(shared, kind="stable")
            ends = np.flatnonzero(np.diff(shared[order])) + 1
            for members in np.split(order, ends):
                one, two = np.triu_indices(len(members), 1)
                first, second = members[one], members[two]
                apart = self.codes[first, axis] != self.codes[second, axis]
                if apart.any():
                    size = int(apart.sum())
                    found.append((first[apart], second[apart], np.full(size, axis), np.full(size, groups)))
                    groups += 1
        if not found:
            empty = np.empty(0, dtype=np.int64)
            return Pairs(empty, empty, empty, empty)
        first, second, axes, numbers = (np.concatenate(part).astype(np.int64) for part in zip(*found, strict=True))
        return Pairs(first, second, axes, numbers)

    def take(self, rows: Codes) -> "Design":
        """The design of some of the networks; hyper-parameters that no longer vary are dropped.

        Args:
            rows: Their indices.

        Returns:
            Their design.
        """
        return designed(dict(zip(self.axes, self.codes[rows].T, strict=True)))


def designed(hyper_parameters: dict[str, Codes]) -> Design:
    """The design of networks whose hyper-parameters are given.

    Args:
        hyper_parameters: Name -> values ``[N]``, numbers or words.

    Returns:
        Codes follow the order of the values; what never varies is no axis.
    """
    coded = {name: _coded(np.asarray(values)) for name, values in hyper_parameters.items()}
    varying = {name: codes.astype(np.int64) for name, codes in coded.items() if codes.max() > 0}
    size = len(next(iter(hyper_parameters.values())))
    codes = np.stack(list(varying.values()), axis=1) if varying else np.zeros((size, 0), dtype=np.int64)
    if not varying:
        return Design((), codes, np.zeros(size, dtype=np.int64))
    _, configurations = np.unique(codes, axis=0, return_inverse=True)
    return Design(tuple(varying), codes, configurations.astype(np.int64))


def _coded(values: np.ndarray) -> Codes:
    """Number of each one's value; what cannot be put in order, as words beside empty cells, is ordered as text."""
    try:
        return np.asarray(np.unique(values, return_inverse=True)[1])
    except (TypeError, ValueError):
        return np.asarray(np.unique(np.array([str(value) for value in values]), return_inverse=True)[1])
