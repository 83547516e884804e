"""A falling curve with a floor, ``a + b n^-c``, and what it says about a point beyond: a profile of the squares."""

from dataclasses import dataclass, replace

import numpy as np

from heldout.engine.numerics.domain import Floats

#: Exponents that are tried: slower than the first is a straight line in ln n, faster than the last is at its floor at once.
EXPONENTS = np.geomspace(0.02, 4.0, 120)
_GRID, _ROUNDS, _HALVINGS, _REFINEMENTS = 33, 9, 50, 2


@dataclass(frozen=True, slots=True)
class PowerLaw:
    """Weighted squares of a power law with floor, as a function of its value at a target.

    With r_i = (n_i / N)^-c - 1 the law is v + s r_i, where v is its value at the target N, s = b N^-c its height above the floor
    there and c its exponent; floor and height are not negative: 0 <= s <= v. For each v and c the best s is known in closed form,
    so the profile over v is a minimum over the exponents.

    Attributes:
        places: n_i / N ``[S]``.
        exponents: Those that are tried ``[C]``.
        values: What was measured ``[S]``.
        weights: Inverse variances ``[S]``.

    Example:
        >>> law = PowerLaw.of(np.array([1.0, 2, 4, 8]), 0.1 + 0.8 / np.array([1.0, 2, 4, 8]), np.ones(4), 16.0).refined()
        >>> round(law.minimum()[0], 3)  # 0.1 + 0.8 / 16
        0.15
    """

    places: Floats
    exponents: Floats
    values: Floats
    weights: Floats

    @classmethod
    def of(cls, places: Floats, values: Floats, weights: Floats, target: float) -> "PowerLaw":
        """The squares of a curve.

        Args:
            places: Sizes or steps n_i ``[S]``, positive.
            values: Measured there ``[S]``.
            weights: Inverse variances ``[S]``.
            target: N.

        Returns:
            The squares.
        """
        return cls(places / target, EXPONENTS, values, weights)

    @property
    def ratios(self) -> Floats:
        """The r_i of each exponent ``[C, S]``."""
        return self.places ** -self.exponents[:, None] - 1

    def refined(self) -> "PowerLaw":
        """The same with more exponents about the best one, for curves whose noise is smaller than a step of the grid.

        Returns:
            The squares.
        """
        law = self
        for _ in range(_REFINEMENTS):
            best = int(law.heights(np.array([law.minimum()[0]]))[1][0].argmin())
            low, high = law.exponents[max(best - 1, 0)], law.exponents[min(best + 1, len(law.exponents) - 1)]
            law = replace(law, exponents=np.union1d(law.exponents, np.linspace(low, high, _GRID)))
        return law

    def heights(self, at: Floats) -> tuple[Floats, Floats]:
        """The best height above the floor for each value at the target and exponent, and the squares that are left.

        Args:
            at: Values at the target ``[V]``.

        Returns:
            Heights s and squares, each ``[V, C]``.
        """
        w, r, v = self.weights, self.ratios, at[:, None]
        along, across, spread = (w * self.values * r).sum(-1), (w * r).sum(-1), (w * r * r).sum(-1)
        slope = along - v * across
        height = np.clip(slope / spread, 0.0, v)
        rest = (w * (self.values - v) ** 2).sum(-1, keepdims=True)
        return height, rest - 2 * height * slope + height * height * spread

    def squares(self, at: Floats) -> Floats:
        """The least squares for each value at the target.

        Args:
            at: Values ``[V]``.

        Returns:
            ``[V]``.
        """
        return self.heights(at)[1].min(-1)

    def minimum(self) -> tuple[float, float]:
        """The best value at the target, by grids about the best so far, each four times finer.

        Returns:
            Value and squares.
        """
        low, high = 0.0, self.most
        for _ in range(_ROUNDS):
            grid = np.linspace(low, high, _GRID)
            squares = self.squares(grid)
            best, width = float(grid[squares.argmin()]), (high - low) / 8
            low, high = max(0.0, best - width), best + width
        return best, float(squares.min())

    @property
    def most(self) -> float:
        """A value that the best one does not exceed: the law falls, and cannot be above all that was measured."""
        return float(self.values.max() + 1e-12)

    def within(self, threshold: float, best: float) -> tuple[float, float]:
        """The values at the target whose squares stay at or below a threshold, around the best.

        Args:
            threshold: Of the squares.
            best: A value inside.

        Returns:
            Low and high, by bisection; the low end may be 0.
        """
        high = best + max(best, 1e-12)
        while self.squares(np.array([high]))[0] <= threshold:
            high *= 2
        ends = []
        for outside in (0.0, high):
            if outside < best and self.squares(np.array([outside]))[0] <= threshold:
                ends.append(0.0)
                continue
            inside = best
            for _ in range(_HALVINGS):
                middle = 0.5 * (inside + outside)
                reached = self.squares(np.array([middle]))[0] <= threshold
                inside, outside = (middle, outside) if reached else (inside, middle)
            ends.append(outside)
        return ends[0], ends[1]

    def law(self, at: float, target: float) -> tuple[float, float, float]:
        """Floor a, scale b and exponent c of the best law through a value at the target.

        Args:
            at: The value.
            target: N.

        Returns:
            a, b, c; of little meaning each where the measured curve does not bend.
        """
        height, squares = (each[0] for each in self.heights(np.array([at])))
        best = int(squares.argmin())
        exponent = float(self.exponents[best])
        return float(at - height[best]), float(height[best] * target**exponent), exponent
